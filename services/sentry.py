"""Sentry: errors once per failure that matters, and traces from the publisher to the provider.

Without a DSN nothing is sent and nothing costs anything.
"""

import hmac
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import sentry_sdk
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.redis import RedisIntegration

from services.scrubbing import scrub

# Whatever is left out of this would be collected: https://docs.sentry.io/platforms/python.
NOTHING_PERSONAL: Any = {
    "user_info": False,
    "cookies": {"mode": "off"},
    "http_headers": {"request": {"mode": "off"}},
    "http_bodies": [],
    "url_query_params": {"mode": "off"},
    "database_query_data": False,
    "queues": False,
    "graphql": {"document": False, "variables": False},
    "gen_ai": {"inputs": False, "outputs": False},
    "stack_frame_variables": False,
    "frame_context_lines": 5,
}
LONGEST_WAIT_SHOWN = timedelta(seconds=60)
FLUSH_WITHIN = 3.0
QUEUE = 1_000
"""How many wait to be sent: the SDK's own 100 are soon full while Sentry is slow, the rest lost."""


@dataclass(frozen=True)
class Work:
    """What a handler is given: `event` is the first of `count`, or the only one.

    `traceparent` is that event's; `facts` are its training's, or nothing. `sent_at` is when the
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
        """The same with more that is known of it."""
        return replace(self, **known)


class Sentry:
    """One process's line to Sentry. `monitors` are scheduled jobs: handler → cron, in UTC."""

    def __init__(
        self,
        dsn: str | None,
        *,
        environment: str,
        release: str | None,
        traces: float,
        monitors: Mapping[str, str] | None = None,
    ) -> None:
        self.is_on = dsn is not None
        self.monitors = dict(monitors or {})
        if dsn is not None:
            sentry_sdk.init(
                dsn=dsn,
                environment=environment,
                release=release,
                traces_sampler=sampler(dsn, traces),
                trace_propagation_targets=[],
                transport_queue_size=QUEUE,
                data_collection=NOTHING_PERSONAL,
                integrations=[
                    LoggingIntegration(event_level=None, level=None),
                    AtexitIntegration(callback=say_nothing),
                ],
                disabled_integrations=[ArgvIntegration(), RedisIntegration()],
                before_send=scrub,
                before_send_transaction=scrub,
                shutdown_timeout=2,
            )

    @contextmanager
    def handling(self, work: Work) -> Iterator[None]:
        """Trace what a handler does, as a part of the trace in which its event was published."""
        if not self.is_on:
            yield
            return
        with sentry_sdk.isolation_scope() as scope, self.checking_in(work.handler):
            describe(scope, work)
            begun = time.time()
            parent = sentry_sdk.continue_trace(
                headers_of(work.traceparent), op="queue.process", name=work.handler
            )
            with sentry_sdk.start_transaction(parent, start_timestamp=at(work.sent_at or begun)):
                show_waits(work, begun)
                with sentry_sdk.start_span(op="function", name=work.handler):
                    yield

    @contextmanager
    def checking_in(self, handler: str) -> Iterator[None]:
        """Tell the monitor of a scheduled job that it runs, and how it ended."""
        cron = self.monitors.get(handler)
        if cron is None:
            yield
            return
        config: Any = {
            "schedule": {"type": "crontab", "value": cron},
            "timezone": "UTC",
            "checkin_margin": 10,
            "max_runtime": 60,
            "failure_issue_threshold": 1,
            "recovery_threshold": 1,
        }
        with sentry_sdk.monitor(monitor_slug=handler, monitor_config=config):
            yield

    def failed(self, work: Work, error: BaseException, *, dead: bool) -> None:
        """Report a failure, grouped by handler and cause, whatever event it struck."""
        if not self.is_on:
            return
        with sentry_sdk.new_scope() as scope:
            describe(scope, work)
            scope.set_tag("dead", str(dead).lower())
            scope.fingerprint = [work.handler, type(error).__name__, place_of(error)]
            sentry_sdk.capture_exception(error)

    def traceparent(self) -> str | None:
        """The trace that goes on here, in W3C's form; None where there is none."""
        span = sentry_sdk.get_current_span() if self.is_on else None
        if span is None:
            return None
        return f"00-{span.trace_id}-{span.span_id}-{'01' if span.sampled else '00'}"

    def flush(self) -> None:
        """Send what has not been sent, before the process ends."""
        if self.is_on:
            sentry_sdk.flush(FLUSH_WITHIN)


def sampler(dsn: str, rate: float) -> Callable[[Mapping[str, Any]], float]:
    """Take this share of all traces, from 0 to 1, whatever the caller's own decision was.

    The trace's id alone decides, so that processes with the same DSN take the same traces. Whoever
    does not know the DSN cannot choose an id that is taken.
    """

    def sample(context: Mapping[str, Any]) -> float:
        trace: str = context["transaction_context"]["trace_id"]
        digest = hmac.digest(dsn.encode(), trace.encode(), "sha256")
        return float(int.from_bytes(digest[:4]) / 2**32 < rate)

    return sample


def describe(scope: Any, work: Work) -> None:
    """Say of everything in a scope what it is about."""
    scope.set_tag("handler", work.handler)
    scope.set_tag("event_type", work.type)
    event = {"id": work.event_id, "lease": work.lease, "count": work.count}
    scope.set_context("delivery", event | {"correlation_id": work.correlation_id})
    if work.count == 1 and work.user_id is not None:
        scope.set_user({"id": work.user_id})
    if work.facts:
        scope.set_context("training", dict(work.facts))
        for name in ("algorithm", "problem_type"):
            if work.facts.get(name):
                scope.set_tag(name, work.facts[name])


def show_waits(work: Work, begun: float) -> None:
    """Two spans for what came before: the wait for the relay, and the wait in the queue."""
    sent = work.sent_at or begun
    happened = work.happened_at or at(0)
    if timedelta() <= at(sent) - happened <= LONGEST_WAIT_SHOWN:
        span = sentry_sdk.start_span(
            op="queue.relay", name="until the relay sent it", start_timestamp=happened
        )
        span.finish(end_timestamp=at(sent))
    span = sentry_sdk.start_span(
        op="queue.receive", name="until a worker took it", start_timestamp=at(sent)
    )
    span.finish(end_timestamp=at(begun))


def headers_of(traceparent: str | None) -> dict[str, str]:
    """A W3C traceparent as the headers that the SDK continues a trace from."""
    if traceparent is None:
        return {}
    _version, trace, span, flags = traceparent.split("-")
    return {"sentry-trace": f"{trace}-{span}-{int(flags, 16) & 1}"}


def place_of(error: BaseException) -> str:
    """Where an error was raised, by file and function: lines move with every change."""
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return f"{code.co_filename.rsplit('/', 1)[-1]}:{code.co_name}"


def say_nothing(_pending: int, _timeout: float) -> None:
    """What a command prints at its end is its own affair."""


def at(seconds: float) -> datetime:
    """A moment, from seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)
