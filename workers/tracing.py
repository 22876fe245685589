"""What Sentry is told of the handling of events: its trace, and those failures that matter."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import InterfaceError, OperationalError

from errors import InsightsError, ProviderBusy, ProviderDown, ProviderRefused
from events import Event
from handlers import Handler, Outcome, Reject, RetryLater
from models.leases import Owed
from services.sentry import Sentry, Work
from workers.batch import Batch

NO_FAILURE = (RetryLater, ProviderDown, ProviderBusy, OperationalError, InterfaceError)
FACTS = ("training_id", "dataset_id", "algorithm", "problem_type", "hyperparameters")


class WorkerDied(InsightsError):
    """Reported when a delivery is dead because its worker process died too often."""


@contextmanager
def traced(
    sentry: Sentry,
    handler: Handler,
    rows: Sequence[Row[Any]],
    events: Sequence[Event],
    batch: Batch,
) -> Iterator[None]:
    """Trace the block; report what it raises, if a single event is to blame and it matters."""
    work = work_of(handler, rows[0], events[0], len(events), batch.sent_at)
    with sentry.handling(work):
        try:
            yield
        except Exception as error:
            if len(events) == 1:
                report(sentry, handler, work, error, rows[0].attempts - int(batch.again))
            raise


def report_outcomes(
    sentry: Sentry,
    handler: Handler,
    rows: Sequence[Row[Any]],
    events: Sequence[Event],
    outcomes: Mapping[UUID, Outcome],
    batch: Batch,
) -> None:
    """Report those outcomes of a batch that are failures that matter."""
    if not (sentry.is_on and outcomes):
        return
    known = {event.id: event for event in events}
    for row in rows:
        if row.id in outcomes:
            work = work_of(handler, row, known.get(row.id), 1, batch.sent_at)
            report(sentry, handler, work, outcomes[row.id], row.attempts - int(batch.again))


def report_death(sentry: Sentry, handler: Handler, owed: Owed) -> None:
    """Report a delivery that killed its worker once too often."""
    id_ = str(UUID(owed.event_id))
    work = Work(handler=handler.name, count=1, type="", event_id=id_, lease=owed.lease)
    sentry.failed(work, WorkerDied("The worker process died while it handled this."), dead=True)


def report_outage(sentry: Sentry, handler: Handler, owed: Owed, error: Exception) -> None:
    """Report what no waiting ends: a key that is refused, an event that is never taken."""
    id_ = str(UUID(owed.event_id))
    work = Work(handler=handler.name, count=1, type="", event_id=id_, lease=owed.lease)
    sentry.failed(work, error, dead=False)


def report(
    sentry: Sentry, handler: Handler, work: Work, error: BaseException, attempts: int
) -> None:
    """Report a failure at its first attempt, and when it is given up; not what comes between."""
    if isinstance(error, NO_FAILURE):
        return
    hopeless = isinstance(error, Reject | ProviderRefused)
    dead = hopeless or attempts + 1 >= handler.max_attempts
    if dead or attempts == 0:
        sentry.failed(work, error, dead=dead)


def work_of(
    handler: Handler, row: Row[Any], event: Event | None, count: int, sent_at: float | None
) -> Work:
    """What Sentry is told of some work: ids and facts, never an event's data as a whole."""
    work = Work(
        handler=handler.name,
        count=count,
        type=row.type,
        event_id=str(row.id),
        lease=row.leases,
        sent_at=sent_at,
    )
    if event is None:
        return work
    facts = {name: getattr(event, name) for name in FACTS if getattr(event, name, None)}
    return work.about(
        happened_at=event.occurred_at,
        user_id=str(event.user_id) if event.user_id else None,
        correlation_id=str(event.correlation_id),
        traceparent=event.traceparent,
        facts=facts if event.type.startswith("training.") else None,
    )
