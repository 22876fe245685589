"""What is sent to Sentry of the handling of events: a trace, and those failures that matter."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from errors import ProviderBusy, ProviderDown, ProviderRefused
from events import Event
from handlers import Handler, Reject, RetryLater
from models.database_errors import trouble_of
from models.deliveries.take import TakenDelivery
from services.sentry import Sentry, Work
from workers.batch import Batch
from workers.failure_policy import WorkerDied

# Nobody need look at these: they are expected, and end by themselves.
NO_FAILURE = (RetryLater, ProviderDown, ProviderBusy)
# Fields of a training that help to find a fault; none of them is personal.
FACTS = ("training_id", "dataset_id", "algorithm", "problem_type", "hyperparameters")


@contextmanager
def traced(
    sentry: Sentry, handler: Handler, batch: Batch, events: Sequence[Event]
) -> Iterator[None]:
    """Trace the block; report what it raises, if a single event is to blame and it matters."""
    ids = {event.id for event in events}
    first = next(each for each in batch.deliveries if each.id in ids)
    work = work_of(handler, first, events[0], len(events), batch.sent_at)
    with sentry.handling(work):
        try:
            yield
        except Exception as error:
            if len(events) == 1:
                report(sentry, handler, work, error, first.attempts)
            raise


def report_outcomes(
    sentry: Sentry,
    handler: Handler,
    batch: Batch,
    events: Sequence[Event],
    outcomes: Mapping[UUID, Exception],
) -> None:
    """Report those outcomes of a batch that are failures that matter."""
    if not (sentry.is_on and outcomes):
        return
    known = {event.id: event for event in events}
    for each in batch.deliveries:
        if each.id in outcomes:
            work = work_of(handler, each, known.get(each.id), 1, batch.sent_at)
            report(sentry, handler, work, outcomes[each.id], each.attempts)


def report_outage(
    sentry: Sentry, handler: Handler, delivery: TakenDelivery, error: Exception
) -> None:
    """Report what no waiting ends: a key that is refused, an event that is never taken."""
    sentry.failed(work_of(handler, delivery, None, 1, None), error, dead=False)


def report(
    sentry: Sentry, handler: Handler, work: Work, error: BaseException, attempts: int
) -> None:
    """Report a failure at its first attempt, and when it is given up; not what comes between."""
    if isinstance(error, NO_FAILURE) or trouble_of(error) is not None:
        return
    hopeless = isinstance(error, Reject | ProviderRefused | WorkerDied)
    dead = hopeless or attempts + 1 >= handler.max_attempts
    if dead or attempts == 0:
        sentry.failed(work, error, dead=dead)


def work_of(
    handler: Handler,
    delivery: TakenDelivery,
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
