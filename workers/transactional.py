"""Takes and handles a batch whose effect is in our database: all of it in one transaction."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from errors import ProviderDown
from events import Event
from handlers import Handler
from models import batches
from models.database_errors import Trouble, trouble_of
from models.deliveries.take import put_back, take
from models.handlers import circuit_breaker
from models.transactions import PAUSES_CONFLICT
from services.sentry import Sentry
from workers.batch import Batch, restore, spent
from workers.failure_policy import describe
from workers.failures import FailureWriter, let_go
from workers.in_hand import InHand
from workers.metrics import Metrics
from workers.observation import log_handled, observed, outcome_of
from workers.tracing import report_outcomes


class NotDone(NamedTuple):
    """A part of a batch that was not done, and why: see FailureWriter.write."""

    batch: Batch
    error: Exception


@dataclass
class TransactionalWork:
    """Handles one batch after another for the threads of a process."""

    sessions: "sessionmaker[Session]"
    in_hand: InHand
    metrics: Metrics
    sentry: Sentry
    failures: FailureWriter

    def run(self, handler: Handler, sent_at: float | None, *, calm: bool) -> Batch | None:
        """Take what is due and handle it; None where nothing was. Raises DBAPIError."""
        note = None
        began = time.monotonic()
        try:
            with self.sessions.begin() as session:
                taken = take(session, handler.name, handler.batch, calm=calm)
                # A delivery whose event is gone is forgotten by being taken.
                known = [each for each in taken if each.type]
                if not known:
                    return None
                batch = Batch(known, sent_at)
                self.metrics.taken(handler.name, len(known))
                note = self.in_hand.note(handler, batch)
                not_done = self.handle(session, handler, batch)
                self.end(session, handler, batch, not_done, note, began)
        # Whatever it is, also what ends a thread: the note must not stay open.
        except BaseException as error:
            if note is not None:
                self.in_hand.lost(note, batch, "rolled back", error)
            raise
        if note is not None:
            self.in_hand.ended(note)
        self.metrics.done(handler.name, len(known) - count(not_done))
        log_handled(handler, batch, len(known) - count(not_done), began)
        return batch

    def handle(self, session: Session, handler: Handler, batch: Batch) -> list[NotDone]:
        """Apply the effect; return what was not done. Raises what ends the transaction."""
        outcomes: dict[UUID, Exception] = {**spent(handler, batch)}
        tried = batch.without(set(outcomes))
        not_done: list[NotDone] = []
        if tried is not None:
            events, refused = restore(handler, tried.deliveries)
            outcomes |= refused
            if events:
                not_done = self.apply(session, handler, tried, events, outcomes)
            report_outcomes(self.sentry, handler, batch, events, outcomes)
        single = [each for each in batch.deliveries if each.id in outcomes]
        return not_done + [NotDone(Batch([each]), outcomes[each.id]) for each in single]

    def apply(
        self,
        session: Session,
        handler: Handler,
        batch: Batch,
        events: Sequence[Event],
        outcomes: dict[UUID, Exception],
    ) -> list[NotDone]:
        """Call the handler inside a savepoint; halve on failure, until one event stands alone."""
        pauses = iter(PAUSES_CONFLICT)
        while True:
            try:
                with session.begin_nested(), observed(self.sentry, handler, batch, events):
                    said = handler(events, session) or {}
            except ProviderDown as down:
                return [NotDone(of_events(batch, events), down)]
            # Wide, since here any failure becomes a row.
            except Exception as error:
                trouble = trouble_of(error)
                if trouble in (Trouble.AWAY, Trouble.ENDED):
                    raise
                if trouble is Trouble.CONFLICT:
                    pause = next(pauses, None)
                    if pause is not None:
                        time.sleep(pause)
                        continue
                if trouble is Trouble.CONFLICT or len(events) == 1:
                    return [NotDone(of_events(batch, events), error)]
                middle = (len(events) + 1) // 2
                halves = (events[:middle], events[middle:])
                return [
                    not_done
                    for half in halves
                    for not_done in self.apply(session, handler, batch, half, outcomes)
                ]
            outcomes |= said  # not before: what a savepoint undid was not said
            return []

    def end(
        self,
        session: Session,
        handler: Handler,
        batch: Batch,
        not_done: Sequence[NotDone],
        note: int | None,
        began: float,
    ) -> None:
        """Write what was not done, let go on what waits for the rest, and end the note."""
        missing = {id_ for part in not_done for id_ in part.batch.ids}
        ended = [id_ for id_ in batch.ids if id_ not in missing]
        for part in not_done:
            put_back(session, part.batch.deliveries)
            ended += self.failures.write(session, handler, part.batch, part.error)
        let_go(session, handler, batch, ended)
        if batch.first.circuit_is_troubled and not any(
            isinstance(part.error, ProviderDown) for part in not_done
        ):
            circuit_breaker.close(session, handler.name)
        error = describe(not_done[0].error) if not_done else None
        took = (time.monotonic() - began) * 1000
        outcome = outcome_of(batch, len(missing))
        if note is not None:
            batches.close(session, self.in_hand.process, note, outcome, took, error)


def of_events(batch: Batch, events: Sequence[Event]) -> Batch:
    """The deliveries of some events of a batch."""
    ids = {event.id for event in events}
    return Batch([each for each in batch.deliveries if each.id in ids], batch.sent_at)


def count(not_done: Sequence[NotDone]) -> int:
    """How many deliveries were not done."""
    return sum(len(part.batch.deliveries) for part in not_done)
