"""Handles a batch that the relay sent: the effect, and what becomes of each delivery."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker
from structlog.contextvars import bound_contextvars

from errors import ProviderDown
from events import Event, named_id, publish
from handlers import Handler, Kind
from models import leases, resting, settling
from models.leases import Owed
from models.patience import in_transaction, is_away
from models.settling import Verdict
from services import Services
from services.sentry import Sentry
from workers.batch import Batch, restore
from workers.keeper import LeaseKeeper
from workers.metrics import Metrics
from workers.tracing import report_death, report_outcomes, traced
from workers.verdicts import describe, verdict, verdicts

log = structlog.get_logger()
Result = TypeVar("Result")
AFTER_AN_OUTAGE = timedelta(seconds=1)


@dataclass
class Runner:
    """Runs handlers; the one place where any failure becomes a row."""

    sessions: "sessionmaker[Session]"
    services: Services
    keeper: LeaseKeeper
    metrics: Metrics
    sentry: Sentry
    troubled: set[str] = field(default_factory=set)

    def run(self, handler: Handler, batch: Batch) -> None:
        """Handle what is still owed of a batch. Never raises for what a handler does."""
        for part in batch.parts(handler.batch):
            try:
                if part.again and not self.begin_again(handler, part):
                    continue
                with self.metrics.time(handler.name):
                    self.start(handler, part)
            except (OperationalError, InterfaceError) as away:
                log.warning("database_away", handler=handler.name, error=type(away.orig).__name__)
                self.hand_back(handler, part)

    def begin_again(self, handler: Handler, batch: Batch) -> bool:
        """Count the attempt before it begins, and tell whether it may: the last left no word."""

        def begin(session: Session) -> dict[UUID, bool]:
            dead = settling.charge(session, handler.name, batch.owed, handler.max_attempts)
            self.bury(session, handler, dead)
            return dead

        dead = self.in_transaction(begin)
        for owed in batch.owed:
            if dead.get(UUID(owed.event_id)):
                report_death(self.sentry, handler, owed)
        return bool(dead) and not any(dead.values())

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
            self.in_transaction(lambda session: give_back(session, handler, batch, orphans=True))
            return
        claimed = {row.id.hex: row for row in rows}
        held = replace(batch, owed=leases.owed_by(rows))
        with self.keeper.keep(handler, held.owed, refund=int(batch.again)):
            try:
                self.attempt(handler, held, lambda h, part: self.call_out(h, part, claimed))
            except (OperationalError, InterfaceError):
                self.hand_back(handler, held)
                raise

    def attempt(
        self, handler: Handler, batch: Batch, effect: Callable[[Handler, Batch], int]
    ) -> None:
        """Try; on failure halve, until the event that is to blame stands alone."""
        began = time.monotonic()
        try:
            done = effect(handler, batch)
        except ProviderDown as down:
            self.rest(handler, batch, down)
        except Exception as error:
            if isinstance(error, OperationalError | InterfaceError) and is_away(error):
                raise
            if len(batch.owed) > 1:
                for half in batch.parts((len(batch.owed) + 1) // 2):
                    self.attempt(handler, half, effect)
            else:
                self.settle(handler, [(batch.owed[0], error)], again=batch.again)
        else:
            self.metrics.done(handler.name, done)
            log.info(
                "handled",
                handler=handler.name,
                events=done,
                event_id=batch.owed[0].event_id if len(batch.owed) == 1 else None,
                lease=batch.owed[0].lease,
                ms=round((time.monotonic() - began) * 1000, 1),
            )

    def commit_effect(self, handler: Handler, batch: Batch) -> int:
        """Effect and deletion of the debt in one transaction; returns how many are done."""

        def work(session: Session) -> int:
            rows = leases.take(session, handler.name, batch.owed)
            if not rows:
                give_back(session, handler, batch, orphans=True)
                return 0
            events, broken = restore(handler, rows)
            outcomes = broken
            if events:
                with self.watching(handler, rows, events, batch):
                    outcomes = broken | (handler(events, session) or {})
            report_outcomes(self.sentry, handler, rows, events, outcomes, batch)
            if outcomes:
                back = [row for row in rows if row.id in outcomes]
                settling.put_back(session, handler.name, back)
                self.write(session, handler, verdicts(back, outcomes, again=batch.again))
            self.recover(session, handler, batch)
            return len(rows) - len(outcomes)

        return self.in_transaction(work)

    def call_out(self, handler: Handler, batch: Batch, claimed: Mapping[str, Row[Any]]) -> int:
        """Call the provider, then delete the debt and publish what followed, if it still holds."""
        rows = [claimed[owed.event_id] for owed in batch.owed]
        events, outcomes = restore(handler, rows)
        followers: list[Event] = []
        if events:
            keys = [str(named_id(handler.name, event.id)) for event in events]
            with self.watching(handler, rows, events, batch):
                answer = handler(events, self.services, keys if handler.batch > 1 else keys[0])
            if isinstance(answer, Mapping):
                outcomes |= answer
            elif answer is not None:
                followers = [answer] if isinstance(answer, Event) else list(answer)
        report_outcomes(self.sentry, handler, rows, events, outcomes, batch)
        done = leases.owed_by(row for row in rows if row.id not in outcomes)
        back = [row for row in rows if row.id in outcomes]

        def close(session: Session) -> int:
            finished = leases.finish(session, handler.name, done)
            publish(session, *(f for f in followers if f.causation_id in finished))
            self.write(session, handler, verdicts(back, outcomes, again=batch.again))
            self.recover(session, handler, batch)
            return len(finished)

        return self.in_transaction(close)

    @contextmanager
    def watching(
        self, handler: Handler, rows: Sequence[Row[Any]], events: Sequence[Event], batch: Batch
    ) -> Iterator[None]:
        """Have logs and traces of the block tell what is handled."""
        of_events = {event.id for event in events}
        mine = [row for row in rows if row.id in of_events]
        with about(handler, mine, events), traced(self.sentry, handler, mine, events, batch):
            yield

    def settle(
        self, handler: Handler, failures: Sequence[tuple[Owed, Exception]], *, again: bool
    ) -> None:
        """Write failures as rows, in a transaction of their own."""
        for owed, error in failures:
            log.warning(
                "event_failed",
                handler=handler.name,
                event_id=owed.event_id,
                lease=owed.lease,
                error=describe(error),
            )
        written = [verdict(owed, error, again=again) for owed, error in failures]
        self.in_transaction(lambda session: self.write(session, handler, written))

    def write(self, session: Session, handler: Handler, written: Sequence[Verdict]) -> None:
        """Write verdicts and count them."""
        if not written:
            return
        self.metrics.failed(handler.name, len(written))
        dead = settling.settle(session, handler.name, written, handler.max_attempts)
        self.bury(session, handler, dead)

    def bury(self, session: Session, handler: Handler, dead: Mapping[UUID, bool]) -> None:
        """Tell those who wait for an outcome that there will be none, as the handler wishes."""
        gone = [event_id for event_id, is_dead in dead.items() if is_dead]
        self.metrics.dead(handler.name, len(gone))
        if gone and handler.on_death is not None:
            events, _unreadable = restore(handler, leases.read(session, gone))
            publish(session, *map(handler.on_death, events))

    def rest(self, handler: Handler, batch: Batch, down: ProviderDown) -> None:
        """The provider is down: give everything back, and let the handler rest if it stays so."""
        self.troubled.add(handler.name)

        def put_off(session: Session) -> None:
            resume_at = resting.rest(session, handler.name)
            give_back(session, handler, batch, after=AFTER_AN_OUTAGE)
            log.warning(
                "provider_down",
                handler=handler.name,
                error=str(down),
                resume_at=resume_at and resume_at.isoformat(),
            )

        self.in_transaction(put_off)

    def recover(self, session: Session, handler: Handler, batch: Batch) -> None:
        """A provider that had been down has answered."""
        if handler.name in self.troubled or batch.probe:
            resting.recover(session, handler.name)
            self.troubled.discard(handler.name)

    def hand_back(self, handler: Handler, batch: Batch) -> None:
        """The database was away in the middle: nobody's failure, if it takes the word now."""
        with suppress(OperationalError, InterfaceError):
            self.in_transaction(lambda session: give_back(session, handler, batch))

    def in_transaction(self, work: Callable[[Session], Result]) -> Result:
        """See models.patience."""
        return in_transaction(self.sessions, work)


def give_back(
    session: Session,
    handler: Handler,
    batch: Batch,
    *,
    after: timedelta = timedelta(),
    orphans: bool = False,
) -> None:
    """What was not done, through no fault of its own, is due again at no cost.

    With `orphans`, what is owed to events that are gone is forgotten.
    """
    if orphans:
        settling.forget_orphans(session, handler.name, batch.owed)
    settling.release(session, handler.name, batch.owed, refund=int(batch.again), after=after)


def about(
    handler: Handler, rows: Sequence[Row[Any]], events: Sequence[Event]
) -> AbstractContextManager[None]:
    """Have every log line of the block tell what is handled."""
    if len(events) != 1:
        return bound_contextvars(handler=handler.name, events=len(events))
    return bound_contextvars(
        handler=handler.name,
        event_id=str(events[0].id),
        lease=rows[0].leases,
        correlation_id=str(events[0].correlation_id),
    )
