"""The real relay and the real runner in this process, one step at a time, without a broker."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dramatiq import Message
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from handlers import Handler
from runtime.assembly import Assembly
from runtime.registration import register
from workers.broker.actors import batch_of
from workers.lease_renewal import LeaseRenewal
from workers.metrics import Metrics
from workers.relay import Relay
from workers.runner import Runner

# `insights migrate` removes nothing, and names no provider where a handler has none.
NOBODY_FOLLOWS = text("""
    WITH unsubscribed AS (DELETE FROM insights.subscriptions)
    UPDATE insights.handlers SET provider = NULL
""")

A_MINUTE_SINCE_ERASING = text("""
    UPDATE insights.events SET recorded_at = recorded_at - interval '61 s'
    WHERE type = 'user.erased'
""")


class Queue:
    """A Sender that keeps messages, encoded as on the wire, until the test delivers them."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    def send(self, _queue_name: str, messages: Sequence[Message[Any]]) -> None:
        self.messages += [message.encode() for message in messages]

    def depths(self, queue_names: Iterable[str]) -> Mapping[str, int]:
        """No message waits in a queue, so the relay always has room."""
        return dict.fromkeys(queue_names, 0)


class Pipeline:
    """One relay and one runner on the database of an assembly."""

    def __init__(self, assembly: Assembly, handlers: Mapping[str, Handler] | None = None) -> None:
        self.assembly = assembly
        self.handlers = dict(handlers or assembly.handlers)
        self.queue = Queue()
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.relay = Relay(assembly.engine, self.queue, self.handlers, self.metrics)
        self.renewal = LeaseRenewal(assembly.sessions)
        self.runner = Runner(
            assembly.sessions, assembly.services, self.renewal, self.metrics, assembly.sentry
        )

    def follow(self, *handlers: Handler) -> None:
        """Have only these handlers follow events, until the test ends."""
        self.handlers = {handler.name: handler for handler in handlers}
        with self.assembly.engine.begin() as connection:
            connection.execute(NOBODY_FOLLOWS)
            assembly = self.assembly
            register(connection, assembly.catalogue, self.handlers, assembly.providers)
        self.relay = Relay(self.assembly.engine, self.queue, self.handlers, self.metrics)

    def lease(self) -> list[Message[Any]]:
        """Run one pass of the relay; return the messages that it sent."""
        before = len(self.queue.messages)
        self.relay.relay()
        return [Message.decode(raw) for raw in self.queue.messages[before:]]

    def deliver(self, message: "Message[Any]") -> None:
        """Handle one message, as the handler's actor does."""
        self.runner.run(self.handlers[message.queue_name], batch_of(message))

    def work(self) -> None:
        """Relay and deliver until nothing is due."""
        while messages := self.lease():
            for message in messages:
                self.deliver(message)

    def pass_time(self) -> None:
        """Make everything that waits due now: leases have ended, back-offs are over.

        Work that was in hand when a user was erased has ended too.
        """
        with self.assembly.engine.begin() as connection:
            connection.execute(A_MINUTE_SINCE_ERASING)
            connection.execute(
                text("UPDATE insights.deliveries SET due_at = now() - interval '1 second'")
            )

    def half_open_circuits(self) -> None:
        """End the pause of every open circuit, so that each handler may send a probe."""
        with self.assembly.engine.begin() as connection:
            connection.execute(
                text("UPDATE insights.handlers SET resume_at = now() WHERE resume_at IS NOT NULL")
            )

    def owed(self) -> list[Any]:
        """All deliveries, dead ones too."""
        with self.assembly.engine.connect() as connection:
            return list(
                connection.execute(
                    text("SELECT * FROM insights.deliveries ORDER BY handler, event_id")
                )
            )
