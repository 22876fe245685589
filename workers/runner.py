"""Handles a batch that the relay sent: the effect, and what becomes of each delivery."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from errors import InsightsError, ProviderDown
from events import Event, named_id, publish
from handlers import Handler, Kind, Outcome, Reject, RetryLater
from models import leases
from models.leases import Owed, Verdict
from services import Services
from workers.keeper import LeaseKeeper
from workers.metrics import Metrics

log = structlog.get_logger()
Result = TypeVar("Result")
PAUSES = (0.05, 0.2, 0.5, 1, 2, 4, 4, 4)


@dataclass(frozen=True)
class Batch:
    """What one message carries; see Leased for `again` and `probe`."""

    owed: Sequence[Owed]
    again: bool = False
    probe: bool = False

    def halves(self) -> "tuple[Batch, Batch]":
        """The two halves of a batch that failed, to find the event that is to blame."""
        middle = len(self.owed) // 2
        return Batch(self.owed[:middle], self.again), Batch(self.owed[middle:], self.again)


@dataclass
class Runner:
    """Runs handlers; the one place where any failure becomes a row."""

    sessions: "sessionmaker[Session]"
    services: Services
    keeper: LeaseKeeper
    metrics: Metrics
    troubled: set[str] = field(default_factory=set)

    def run(self, handler: Handler, batch: Batch) -> None:
        """Handle what is still owed of a batch. Never raises for what a handler does."""
        try:
            if batch.again and not self.begin_again(handler, batch):
                return
            with self.metrics.time(handler.name):
                self.start(handler, batch)
        except (OperationalError, InterfaceError) as away:
            log.error("database_away", handler=handler.name, error=type(away.orig).__name__)

    def begin_again(self, handler: Handler, batch: Batch) -> bool:
        """Count the attempt before it begins, and tell whether it may: the last left no word."""
        dead = self.in_transaction(
            lambda session: leases.charge(session, handler.name, batch.owed, handler.max_attempts)
        )
        self.metrics.dead(handler.name, sum(dead))
        return bool(dead) and not any(dead)

    def start(self, handler: Handler, batch: Batch) -> None:
        """Attempt a transactional batch; claim an external one first and keep its lease."""
        if handler.kind is Kind.TRANSACTIONAL:
            self.attempt(handler, batch, self.commit_effect)
            return
        rows = self.in_transaction(
            lambda session: leases.claim(
                session, handler.name, batch.owed, handler.lease, probe=batch.probe
            )
        )
        if not rows:
            self.in_transaction(lambda s: leases.release(s, handler.name, batch.owed))
            return
        claimed = {row.id: row for row in rows}
        held = Batch([Owed(row.id, row.leases) for row in rows], batch.again, batch.probe)
        with self.keeper.keep(handler, held.owed):
            self.attempt(handler, held, lambda h, part: self.call_out(h, part, claimed))

    def attempt(
        self, handler: Handler, batch: Batch, effect: Callable[[Handler, Batch], int]
    ) -> None:
        """Try; on failure halve, until the event that is to blame stands alone."""
        try:
            done = effect(handler, batch)
        except (OperationalError, InterfaceError):
            raise
        except ProviderDown as down:
            self.rest(handler, batch, down)
        except Exception as error:
            if len(batch.owed) > 1:
                for half in batch.halves():
                    self.attempt(handler, half, effect)
            else:
                self.settle(handler, [(batch.owed[0], error)], again=batch.again)
        else:
            self.metrics.done(handler.name, done)

    def commit_effect(self, handler: Handler, batch: Batch) -> int:
        """Effect and deletion of the debt in one transaction; returns how many are done."""

        def work(session: Session) -> int:
            rows = leases.take(session, handler.name, batch.owed)
            if not rows:
                return 0
            events, broken = restore(handler, rows)
            outcomes = broken | (handler(events, session) or {} if events else {})
            if outcomes:
                back = [row for row in rows if row.id in outcomes]
                leases.put_back(session, handler.name, back)
                self.write(session, handler, verdicts(back, outcomes, again=batch.again))
            return len(rows) - len(outcomes)

        return self.in_transaction(work)

    def call_out(self, handler: Handler, batch: Batch, claimed: Mapping[UUID, Row[Any]]) -> int:
        """Call the provider, then delete the debt and publish what followed, if it still holds."""
        rows = [claimed[owed.event_id] for owed in batch.owed]
        events, outcomes = restore(handler, rows)
        followers: list[Event] = []
        if events:
            keys = [str(named_id(handler.name, event.id)) for event in events]
            answer = handler(events, self.services, keys if handler.batch > 1 else keys[0])
            if isinstance(answer, Mapping):
                outcomes |= answer
            elif answer is not None:
                followers = [answer] if isinstance(answer, Event) else list(answer)
        done = [owed for owed in batch.owed if owed.event_id not in outcomes]
        back = [row for row in rows if row.id in outcomes]

        def close(session: Session) -> int:
            finished = leases.finish(session, handler.name, done)
            publish(session, *(f for f in followers if f.causation_id in finished))
            self.write(session, handler, verdicts(back, outcomes, again=batch.again))
            if handler.name in self.troubled or batch.probe:
                leases.recover(session, handler.name)
                self.troubled.discard(handler.name)
            return len(finished)

        return self.in_transaction(close)

    def settle(
        self, handler: Handler, failures: Sequence[tuple[Owed, Exception]], *, again: bool
    ) -> None:
        """Write failures as rows, in a transaction of their own."""
        for owed, error in failures:
            log.warning(
                "event_failed",
                handler=handler.name,
                event_id=str(owed.event_id),
                lease=owed.lease,
                error=describe(error),
                exc_info=None if isinstance(error, InsightsError) else error,
            )
        written = [verdict(owed, error, again=again) for owed, error in failures]
        self.in_transaction(lambda session: self.write(session, handler, written))

    def write(self, session: Session, handler: Handler, written: Sequence[Verdict]) -> None:
        """Write verdicts and count them."""
        if not written:
            return
        dead = leases.settle(session, handler.name, written, handler.max_attempts)
        self.metrics.failed(handler.name, len(written))
        self.metrics.dead(handler.name, sum(dead))

    def rest(self, handler: Handler, batch: Batch, down: ProviderDown) -> None:
        """The provider is down: give everything back, and let the handler rest if it stays so."""
        self.troubled.add(handler.name)

        def give_back(session: Session) -> None:
            resume_at = leases.rest(session, handler.name)
            leases.release(session, handler.name, batch.owed, refund=int(batch.again))
            log.warning(
                "provider_down",
                handler=handler.name,
                error=str(down),
                resume_at=resume_at and resume_at.isoformat(),
            )

        self.in_transaction(give_back)

    def in_transaction(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` in a transaction; try again while the database is away or deadlocked."""
        for pause in (*PAUSES, None):
            try:
                with self.sessions.begin() as session:
                    return work(session)
            except (OperationalError, InterfaceError):
                if pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")


def restore(
    handler: Handler, rows: Sequence[Row[Any]]
) -> tuple[list[Event], dict[UUID, Outcome]]:
    """The events of rows; those that do not fit their type are rejected, not handled."""
    events: list[Event] = []
    broken: dict[UUID, Outcome] = {}
    for row in rows:
        try:
            events.append(handler.types[row.type].restore(row))
        except (KeyError, ValueError) as error:
            broken[row.id] = Reject(f"The stored event cannot be read: {describe(error)}")
    return events, broken


def verdicts(
    rows: Sequence[Row[Any]], outcomes: Mapping[UUID, Outcome], *, again: bool
) -> list[Verdict]:
    """What becomes of the rows that a handler left undone."""
    return [verdict(Owed(row.id, row.leases), outcomes[row.id], again=again) for row in rows]


def verdict(owed: Owed, error: Exception, *, again: bool) -> Verdict:
    """What an outcome or an error makes of a delivery; `again` was charged when it began."""
    charged = int(again)
    match error:
        case RetryLater(after=after):
            return Verdict(owed, describe(error), charge=-charged, after=after)
        case Reject():
            return Verdict(owed, describe(error), charge=1 - charged, dead=True)
        case _:
            return Verdict(owed, describe(error), charge=1 - charged)


def describe(error: Exception) -> str:
    """An error for `last_error`: our own sentences whole, a stranger's by its name alone."""
    if isinstance(error, InsightsError):
        return str(error)[:500]
    return type(error).__name__


