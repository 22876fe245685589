"""One actor per handler, and the messages that it understands."""

import time
from collections.abc import Sequence
from typing import Any

import dramatiq
from dramatiq import Message

from handlers import Handler
from models.deliveries.lease import Lease, LeasedBatch
from workers.batch import Batch
from workers.runner import Runner


def declare_actor(handler: Handler, runner: Runner, broker: dramatiq.Broker) -> None:
    """Declare a handler's actor and queue, both under the handler's name."""

    def handle(
        ids: list[str],
        tokens: list[int],
        began_before: bool,  # noqa: FBT001 (as it comes in a message)
        probe: bool,  # noqa: FBT001
        sent_at: float | None = None,
    ) -> None:
        runner.run(handler, Batch(list(map(Lease, ids, tokens)), began_before, probe, sent_at))

    declare = dramatiq.actor(actor_name=handler.name, queue_name=handler.name, broker=broker)
    declare(handle)


def message_of(leased: LeasedBatch, part: Sequence[Lease]) -> "Message[Any]":
    """The message that asks a handler's actor to handle a part of what was leased for it."""
    return Message(
        queue_name=leased.handler,
        actor_name=leased.handler,
        # Positional, in the order of `handle`: workers of other versions read these messages.
        args=(
            [lease.event_id for lease in part],
            [lease.token for lease in part],
            leased.began_before,
            leased.probe,
        ),
        kwargs={"sent_at": time.time()},
        options={},
    )


def batch_of(message: "Message[Any]") -> Batch:
    """The batch that a message stands for, for those who deliver without a broker."""
    ids, tokens, began_before, probe = message.args
    return Batch(list(map(Lease, ids, tokens)), began_before, probe, message.kwargs["sent_at"])
