"""One actor per handler, and the bell that wakes it: a message without content."""

import time
from typing import Any

import dramatiq
from dramatiq import Message

from handlers import Handler
from workers.runner import Runner


def declare_actor(handler: Handler, runner: Runner, broker: dramatiq.Broker) -> None:
    """Declare a handler's actor and queue, both under the handler's name."""

    def handle(*_content: object, sent_at: float | None = None, **_options: object) -> None:
        # Whatever a bell of another release carries: what is due stands in the database.
        runner.run(handler, sent_at)

    declare = dramatiq.actor(actor_name=handler.name, queue_name=handler.name, broker=broker)
    declare(handle)


def bell_for(name: str) -> "Message[Any]":
    """The message that says that there is work for a handler."""
    return Message(
        queue_name=name,
        actor_name=name,
        args=(),
        # Only for traces: how long it waited in the queue.
        kwargs={"sent_at": time.time()},
        options={},
    )
