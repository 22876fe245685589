"""What logs and traces say of a batch in hand."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import structlog
from structlog.contextvars import bound_contextvars

from events import Event
from handlers import Handler
from services.sentry import Sentry
from workers.batch import Batch
from workers.tracing import traced

log = structlog.get_logger()


@contextmanager
def observed(
    sentry: Sentry, handler: Handler, batch: Batch, events: Sequence[Event]
) -> Iterator[None]:
    """Have logs and traces of the block say what is handled."""
    with log_context(handler, batch, events), traced(sentry, handler, batch, events):
        yield


def log_context(
    handler: Handler, batch: Batch, events: Sequence[Event]
) -> AbstractContextManager[None]:
    """Have every log line of the block say what is handled."""
    if len(events) != 1:
        return bound_contextvars(handler=handler.name, events=len(events))
    (event,) = events
    token = next(each.token for each in batch.deliveries if each.id == event.id)
    return bound_contextvars(
        handler=handler.name,
        event_id=str(event.id),
        lease=token,
        correlation_id=str(event.correlation_id),
    )


def log_handled(handler: Handler, batch: Batch, done: int, began: float) -> None:
    """Log that a batch was handled, and how many of its events are done."""
    log.info(
        "handled",
        handler=handler.name,
        events=done,
        event_id=str(batch.first.id) if batch.is_single else None,
        lease=batch.first.token,
        ms=round((time.monotonic() - began) * 1000, 1),
    )


def outcome_of(batch: Batch, not_done: int) -> str:
    """What became of a batch, for its row: done, partly, or not done."""
    if not not_done:
        return "done"
    return "partly" if not_done < len(batch.deliveries) else "not done"
