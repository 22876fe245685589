"""What is sent to Sentry of the handling of events: a trace, and those failures that matter."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from errors import InsightsError, ProviderBusy, ProviderDown, ProviderRefused
from events import Event
from handlers import Handler, Outcome, Reject, RetryLater
from models.database_errors import trouble_of
from models.deliveries.lease import Lease
from models.deliveries.take import ClaimedDelivery
from services.sentry import Sentry, Work
from workers.batch import Batch

# Nobody need look at these: they are expected, and end by themselves.
NO_FAILURE = (RetryLater, ProviderDown, ProviderBusy)
# Fields of a training that help to find a fault; none of them is personal.
FACTS = ("training_id", "dataset_id", "algorithm", "problem_type", "hyperparameters")


class WorkerDied(InsightsError):
    """Reported when a delivery is dead because its worker process died too often."""


@contextmanager
def traced(
    sentry: Sentry,
    handler: Handler,
    deliveries: Sequence[ClaimedDelivery],
    events: Sequence[Event],
    batch: Batch,
) -> Iterator[None]:
    """Trace the block; report what it raises, if a single event is to blame and it matters."""
    work = work_of(handler, deliveries[0], events[0], len(events), batch.sent_at)
    with sentry.handling(work):
        try:
            yield
        except Exception as error:
            if len(events) == 1:
                report(sentry, handler, work, error, deliveries[0].attempts - batch.charged)
            raise


def report_outcomes(
    sentry: Sentry,
    handler: Handler,
    deliveries: Sequence[ClaimedDelivery],
    events: Sequence[Event],
    outcomes: Mapping[UUID, Outcome],
    batch: Batch,
) -> None:
    """Report those outcomes of a batch that are failures that matter."""
    if not (sentry.is_on and outcomes):
        return
    known = {event.id: event for event in events}
    for each in deliveries:
        if each.id in outcomes:
            work = work_of(handler, each, known.get(each.id), 1, batch.sent_at)
            report(sentry, handler, work, outcomes[each.id], each.attempts - batch.charged)


def report_death(sentry: Sentry, handler: Handler, lease: Lease) -> None:
    """Report a delivery that killed its worker once too often."""
    died = WorkerDied("The worker process died while it handled this.")
    sentry.failed(work_of_lease(handler, lease), died, dead=True)


def report_outage(sentry: Sentry, handler: Handler, lease: Lease, error: Exception) -> None:
    """Report what no waiting ends: a key that is refused, an event that is never taken."""
    sentry.failed(work_of_lease(handler, lease), error, dead=False)


def report(
    sentry: Sentry, handler: Handler, work: Work, error: BaseException, attempts: int
) -> None:
    """Report a failure at its first attempt, and when it is given up; not what comes between."""
    if isinstance(error, NO_FAILURE) or trouble_of(error) is not None:
        return
    hopeless = isinstance(error, Reject | ProviderRefused)
    dead = hopeless or attempts + 1 >= handler.max_attempts
    if dead or attempts == 0:
        sentry.failed(work, error, dead=dead)


def work_of(
    handler: Handler,
    delivery: ClaimedDelivery,
    event: Event | None,
    count: int,
    sent_at: float | None,
) -> Work:
    """What Sentry may know of some work: ids and facts, never an event's data as a whole."""
    work = Work(
        handler=handler.name,
        count=count,
        type=delivery.type,
        event_id=str(delivery.id),
        lease=delivery.token,
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


def work_of_lease(handler: Handler, lease: Lease) -> Work:
    """The same where the event was not read: its type is not known."""
    id_ = str(UUID(lease.event_id))
    return Work(handler=handler.name, count=1, type="", event_id=id_, lease=lease.token)
