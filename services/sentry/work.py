"""What Sentry is sent of the deliveries that a handler has in hand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import sentry_sdk

MAX_RELAY_WAIT = timedelta(seconds=60)  # a longer one, after a retry or replay, is no latency


@dataclass(frozen=True)
class Work:
    """Ids and facts of `count` deliveries; the event is that of the first, or the only one.

    `traceparent` is that event's; `facts` are its training's, or None. `sent_at` is when the
    relay sent the message, in seconds since the epoch.
    """

    handler: str
    count: int
    type: str
    event_id: str
    lease: int
    happened_at: datetime | None = None
    user_id: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    facts: Mapping[str, Any] | None = None
    sent_at: float | None = None

    def about(self, **known: Any) -> Self:
        """The same with more fields set."""
        return replace(self, **known)


def describe(scope: Any, work: Work) -> None:
    """Set tags, contexts and the user of everything that is sent from a scope."""
    scope.set_tag("handler", work.handler)
    scope.set_tag("event_type", work.type)
    delivery = {"id": work.event_id, "lease": work.lease, "count": work.count}
    scope.set_context("delivery", delivery | {"correlation_id": work.correlation_id})
    if work.count == 1 and work.user_id is not None:
        scope.set_user({"id": work.user_id})
    if work.facts:
        scope.set_context("training", dict(work.facts))
        for name in ("algorithm", "problem_type"):
            if work.facts.get(name):
                scope.set_tag(name, work.facts[name])


def add_wait_spans(work: Work, begun: float) -> None:
    """Add spans for the wait until the relay sent the message, and the wait in the queue."""
    sent = work.sent_at or begun
    happened = work.happened_at or at(0)
    if timedelta() <= at(sent) - happened <= MAX_RELAY_WAIT:
        span = sentry_sdk.start_span(
            op="queue.relay", name="until the relay sent it", start_timestamp=happened
        )
        span.finish(end_timestamp=at(sent))
    span = sentry_sdk.start_span(
        op="queue.receive", name="until a worker took it", start_timestamp=at(sent)
    )
    span.finish(end_timestamp=at(begun))


def at(seconds: float) -> datetime:
    """A moment, from seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)
