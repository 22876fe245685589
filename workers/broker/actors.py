"""Which broker the settings ask for, and the actor of each handler on it."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import dramatiq
from dramatiq import Message

from handlers import Handler
from models.leases import Leased, Owed
from workers.batch import Batch
from workers.broker.redis import RedisDoorbellBroker
from workers.runner import Runner

if TYPE_CHECKING:
    from workers.broker.rabbitmq import RabbitmqDoorbellBroker


class Sender(Protocol):
    """What the relay needs of a broker. Both raise dramatiq's ConnectionClosed."""

    def send(self, queue_name: str, messages: Sequence[Message[Any]]) -> None:
        """Send messages to one queue."""

    def depths(self, queue_names: Iterable[str]) -> Mapping[str, int]:
        """How many messages wait in each queue."""


def make_broker(
    url: str, handlers: Iterable[Handler] = ()
) -> "RedisDoorbellBroker | RabbitmqDoorbellBroker":
    """The broker for a URL: `redis://`, `rediss://`, `unix://` or `amqp://`, `amqps://`."""
    concurrency = {handler.name: handler.concurrency for handler in handlers}
    if url.startswith(("amqp://", "amqps://")):
        from workers.broker.rabbitmq import RabbitmqDoorbellBroker  # noqa: PLC0415 (seldom used)

        return RabbitmqDoorbellBroker(url, concurrency)
    return RedisDoorbellBroker(url, concurrency)


def declare_actor(handler: Handler, runner: Runner, broker: dramatiq.Broker) -> None:
    """One actor and one queue per handler, both under its name."""

    def handle(
        ids: list[str],
        leases: list[int],
        again: bool,  # noqa: FBT001 (as it comes in a message)
        probe: bool,  # noqa: FBT001
        sent_at: float | None = None,
    ) -> None:
        runner.run(handler, Batch(list(map(Owed, ids, leases)), again, probe, sent_at))

    declare = dramatiq.actor(actor_name=handler.name, queue_name=handler.name, broker=broker)
    declare(handle)


def message_of(leased: Leased, part: Sequence[Owed]) -> "Message[Any]":
    """The message that asks a handler's actor to handle a part of what was leased for it."""
    return Message(
        queue_name=leased.handler,
        actor_name=leased.handler,
        args=(
            [owed.event_id for owed in part],
            [owed.lease for owed in part],
            leased.again,
            leased.probe,
        ),
        kwargs={"sent_at": time.time()},
        options={},
    )
