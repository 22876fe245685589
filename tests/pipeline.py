"""The real relay and the real runner in this process, one step at a time, without a broker."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import uuid4

from dramatiq import Message
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from handlers import Handler
from runtime.assembly import Assembly
from runtime.registration import register
from workers.in_hand import InHand, end_dead
from workers.metrics import Metrics
from workers.relay import Relay
from workers.runner import Runner

# `insights migrate` removes nothing, and names no provider where a handler has none.
NOBODY_FOLLOWS = text("""
    WITH unsubscribed AS (DELETE FROM insights.subscriptions)
    UPDATE insights.handlers SET provider = NULL
""")

IS_DUE = text("""
    SELECT EXISTS (
        SELECT FROM insights.deliveries
        WHERE died_at IS NULL AND waits_for IS NULL AND (due_at IS NULL OR due_at <= :at))
""")

LONG_SILENT = text("""
    WITH dead AS (DELETE FROM insights.processes)
    UPDATE insights.batches SET since = since - interval '1 minute' WHERE ended_at IS NULL
""")

A_MINUTE_SINCE_ERASING = text("""
    UPDATE insights.events SET recorded_at = recorded_at - interval '61 s'
    WHERE type = 'user.erased'
""")


class Killed(BaseException):
    """Raised by a handler to end its process in the middle of its work: see Pipeline.die_in."""


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
        self.process = uuid4()
        self.in_hand = InHand(assembly.engine, assembly.notes, self.process)
        self.runner = Runner(
            assembly.sessions,
            assembly.services,
            self.in_hand,
            self.metrics,
            assembly.sentry,
            turn=60,  # seconds: on a busy machine, too, one answer is enough
        )

    def follow(self, *handlers: Handler) -> None:
        """Have only these handlers follow events, until the test ends."""
        self.handlers = {handler.name: handler for handler in handlers}
        with self.assembly.engine.begin() as connection:
            connection.execute(NOBODY_FOLLOWS)
            assembly = self.assembly
            register(connection, assembly.catalogue, self.handlers, assembly.providers)

    def rung(self) -> list[str]:
        """Run one pass of a relay; return for which handlers it rang, once per bell."""
        before = len(self.queue.messages)
        Relay(self.assembly.engine, self.queue, self.handlers, self.metrics).relay()
        return [Message.decode(raw).queue_name for raw in self.queue.messages[before:]]

    def answer(self, name: str) -> None:
        """Handle what is due, as the handler's actor does when it hears a bell."""
        self.runner.run(self.handlers[name])

    def die_in(self, name: str) -> None:
        """Answer, and die where the handler raises: nothing is written of it any more."""
        lost = self.in_hand.lost
        self.in_hand.lost = lambda *_: None  # type: ignore[method-assign]
        try:
            with suppress(Killed):
                self.answer(name)
        finally:
            self.in_hand.lost = lost  # type: ignore[method-assign]

    def work(self) -> None:
        """Ring and answer until nothing is due that was due at the beginning, or follows from it.

        On a busy machine, what is put off by half a second would be due again after each round.
        """
        began = self.assembly.database_time()
        while self.is_due(began) and (bells := self.rung()):
            for name in dict.fromkeys(bells):
                self.answer(name)

    def is_due(self, at: datetime) -> bool:
        """Whether anything has been due since that time, or at once."""
        with self.assembly.engine.connect() as connection:
            return bool(connection.scalar(IS_DUE, {"at": at}))

    def end_dead_processes(self) -> None:
        """Have this process be silent for longer than any lives, and its work go on."""
        with self.assembly.engine.begin() as connection:
            connection.execute(LONG_SILENT)
            end_dead(connection)

    def pass_time(self) -> None:
        """Make everything that waits due now: leases have ended, back-offs are over.

        Work that was in hand when a user was erased has ended too.
        """
        with self.assembly.engine.begin() as connection:
            connection.execute(A_MINUTE_SINCE_ERASING)
            connection.execute(
                text(
                    "UPDATE insights.deliveries SET due_at = now() - interval '1 second' "
                    "WHERE due_at IS NOT NULL"
                )
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
                    text("SELECT * FROM insights.delivery_states ORDER BY handler, event_id")
                )
            )
