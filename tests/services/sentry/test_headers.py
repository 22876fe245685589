"""No provider is sent our trace headers."""

from collections.abc import Iterator

import pytest

from events import UserSignedUp, uuid7
from handlers import external
from handlers.analytics.handler import forward
from handlers.contacts.handler import keep_contacts
from handlers.profiles import keep_profiles
from runtime.assembly import Assembly
from sandbox.client import SandboxClient
from services import Services
from services.sentry import Sentry
from tests.doubles import Doubles
from tests.factories import publish_now
from tests.pipeline import Pipeline
from tests.services.sentry.sandbox_process import close_sentry, dsn_of

TRACE_HEADERS = {"sentry-trace", "baggage", "traceparent"}


@pytest.fixture
def watched(assembly_with_doubles: Assembly, sentry_sandbox: SandboxClient) -> Iterator[Pipeline]:
    """A pipeline that works with the doubles in a process that has Sentry."""
    dsn = dsn_of(sentry_sandbox)
    assembly_with_doubles.sentry = Sentry(dsn, environment="test", release=None, traces=1.0)
    pipeline = Pipeline(assembly_with_doubles)
    yield pipeline
    close_sentry()
    pipeline.follow(*assembly_with_doubles.handlers.values())


def test_loops_and_posthog_are_not_sent_our_trace_headers(
    watched: Pipeline, doubles: Doubles
) -> None:
    traced = []

    @external("asking", UserSignedUp)
    def ask(event: UserSignedUp, services: Services, _key: str) -> None:
        traced.append(watched.assembly.sentry.traceparent())
        services.is_on("a-flag", event.user_id)

    watched.follow(keep_profiles, keep_contacts, forward, ask)
    publish_now(watched.assembly, UserSignedUp(user_id=uuid7(), email="a@example.com"))
    watched.work()
    watched.pass_time()
    watched.work()

    kept = doubles.server.providers.requests
    sent = [*kept["loops"], *kept["posthog"]]
    assert str(traced[0]).endswith("-01")
    assert [each.path for each in sent if TRACE_HEADERS & each.headers.keys()] == []
    assert {each.path for each in sent} == {
        "/loops/api/v1/contacts/update",
        "/posthog/batch/",
        "/posthog/flags/definitions",
    }
