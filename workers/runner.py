"""Handles a batch that the relay sent: the effect, and with it the end of the debt."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker
from structlog.contextvars import bound_contextvars

from errors import ProviderDown
from events import Event, named_id, publish
from handlers import Handler, Kind
from models import leases, resting, settling
from models.transactions import in_transaction, is_away
from services import Services
from services.sentry import Sentry
from workers.batch import Batch, restore
from workers.failure_policy import verdicts
from workers.failures import FailureWriter, give_back_or_forget
from workers.lease_renewal import LeaseRenewal
from workers.metrics import Metrics
from workers.tracing import report_outcomes, traced

log = structlog.get_logger()
Result = TypeVar("Result")


@dataclass
class Runner:
    """Runs handlers; the one place where any failure becomes a row."""

    sessions: "sessionmaker[Session]"
    services: Services
    keeper: LeaseRenewal
    metrics: Metrics
    sentry: Sentry
    undone: FailureWriter = field(init=False)

    def __post_init__(self) -> None:
        self.undone = FailureWriter(self.sessions, self.metrics, self.sentry)

    def run(self, handler: Handler, batch: Batch) -> None:
        """Handle what is still owed of a batch. Never raises for what a handler does."""
        for part in batch.parts(handler.batch):
            try:
                if part.again and not self.undone.begin_again(handler, part):
                    continue
                with self.metrics.time(handler.name):
                    self.start(handler, part)
            except (OperationalError, InterfaceError) as away:
                log.warning("database_away", handler=handler.name, error=type(away.orig).__name__)
                self.undone.hand_back(handler, part)

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
            self.in_transaction(lambda session: give_back_or_forget(session, handler, batch))
            return
        claimed = {row.id.hex: row for row in rows}
        held = replace(batch, owed=leases.owed_by(rows))
        with self.keeper.keep(handler, held.owed, refund=int(batch.again)):
            try:
                self.attempt(handler, held, lambda h, part: self.call_out(h, part, claimed))
            except (OperationalError, InterfaceError):
                self.undone.hand_back(handler, held)
                raise

    def attempt(
        self, handler: Handler, batch: Batch, effect: Callable[[Handler, Batch], int]
    ) -> None:
        """Try; on failure halve, until the event that is to blame stands alone."""
        began = time.monotonic()
        try:
            done = effect(handler, batch)
        except ProviderDown as down:
            self.undone.rest(handler, batch, down)
        except Exception as error:
            if isinstance(error, OperationalError | InterfaceError) and is_away(error):
                raise
            if len(batch.owed) > 1:
                for half in batch.parts((len(batch.owed) + 1) // 2):
                    self.attempt(handler, half, effect)
            else:
                self.undone.fail(handler, batch, error)
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
                give_back_or_forget(session, handler, batch)
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
                self.undone.write(session, handler, verdicts(back, outcomes, again=batch.again))
            recover(session, handler, rows)
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
            self.undone.write(session, handler, verdicts(back, outcomes, again=batch.again))
            recover(session, handler, rows)
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

    def in_transaction(self, work: Callable[[Session], Result]) -> Result:
        """See models.patience."""
        return in_transaction(self.sessions, work)


def recover(session: Session, handler: Handler, rows: Sequence[Row[Any]]) -> None:
    """The provider has answered: end the rest, if it was down lately."""
    if rows[0].troubled:
        resting.recover(session, handler.name)


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
