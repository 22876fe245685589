"""The client of Sentry's SDK. Without a DSN nothing is sent and nothing costs anything."""

import hmac
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.redis import RedisIntegration

from services.sentry.scrubbing import scrub
from services.sentry.work import Work, add_wait_spans, at, describe

# What is left out here would be collected: https://docs.sentry.io/platforms/python.
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
MONITOR: dict[str, Any] = {
    "timezone": "UTC",
    "checkin_margin": 10,  # minutes: a scheduler may have been restarted
    "max_runtime": 60,  # minutes
    "failure_issue_threshold": 1,
    "recovery_threshold": 1,
}
QUEUE_SIZE = 1_000  # items; the SDK's 100 are soon full while Sentry is slow, and the rest lost
FLUSH_TIMEOUT = 3.0  # seconds, of the 25 in which a process has to end
SHUTDOWN_TIMEOUT = 2  # seconds, where a process ends without a flush


class Sentry:
    """The client of one process. `monitors` are scheduled jobs: handler → cron, in UTC."""

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
                trace_propagation_targets=[],  # no provider is sent our trace headers
                transport_queue_size=QUEUE_SIZE,
                data_collection=NOTHING_PERSONAL,
                integrations=[
                    # A log line is no error of its own: failures are reported by `failed`.
                    LoggingIntegration(event_level=None, level=None),
                    AtexitIntegration(callback=print_nothing),
                ],
                # Command lines, and the keys of Redis, may hold what is personal.
                disabled_integrations=[ArgvIntegration(), RedisIntegration()],
                before_send=scrub,
                before_send_transaction=scrub,
                shutdown_timeout=SHUTDOWN_TIMEOUT,
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
                add_wait_spans(work, begun)
                with sentry_sdk.start_span(op="function", name=work.handler):
                    yield

    @contextmanager
    def checking_in(self, handler: str) -> Iterator[None]:
        """Report to the monitor of a scheduled job that it runs, and how it ended."""
        cron = self.monitors.get(handler)
        if cron is None:
            yield
            return
        config: Any = MONITOR | {"schedule": {"type": "crontab", "value": cron}}
        with sentry_sdk.monitor(monitor_slug=handler, monitor_config=config):
            yield

    def failed(self, work: Work, error: BaseException, *, dead: bool) -> None:
        """Report a failure, grouped by handler and cause, whichever event it befell."""
        if not self.is_on:
            return
        with sentry_sdk.new_scope() as scope:
            describe(scope, work)
            scope.set_tag("dead", str(dead).lower())
            scope.fingerprint = [work.handler, type(error).__name__, place_of(error)]
            sentry_sdk.capture_exception(error)

    def traceparent(self) -> str | None:
        """The current trace in W3C's form; None where there is none."""
        span = sentry_sdk.get_current_span() if self.is_on else None
        if span is None:
            return None
        return f"00-{span.trace_id}-{span.span_id}-{'01' if span.sampled else '00'}"

    def flush(self) -> None:
        """Send what has not been sent, before the process ends."""
        if self.is_on:
            sentry_sdk.flush(FLUSH_TIMEOUT)


def headers_of(traceparent: str | None) -> dict[str, str]:
    """A W3C traceparent as the headers that the SDK continues a trace from."""
    if traceparent is None:
        return {}
    _version, trace, span, flags = traceparent.split("-")
    return {"sentry-trace": f"{trace}-{span}-{int(flags, 16) & 1}"}


def place_of(error: BaseException) -> str:
    """Where an error was raised, by file and function: line numbers change with every edit."""
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return f"{code.co_filename.rsplit('/', 1)[-1]}:{code.co_name}"


def print_nothing(_pending: int, _timeout: float) -> None:
    """In place of the SDK's message at exit, which would mix with a command's output."""


def sampler(dsn: str, rate: float) -> Callable[[Mapping[str, Any]], float]:
    """Take this share of all traces, from 0 to 1, whatever the caller of our API decided.

    The trace's id alone decides, so that processes with the same DSN take the same traces. Without
    the DSN nobody can choose an id that is taken.
    """

    def sample(context: Mapping[str, Any]) -> float:
        trace: str = context["transaction_context"]["trace_id"]
        digest = hmac.digest(dsn.encode(), trace.encode(), "sha256")
        return float(int.from_bytes(digest[:4]) / 2**32 < rate)

    return sample
