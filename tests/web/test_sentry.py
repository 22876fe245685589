"""The web app with Sentry: its reports name no user, and its traces go on in handlers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text
from starlette.testclient import TestClient

from runtime.assembly import Assembly
from runtime.sandbox_settings import sandbox_settings
from runtime.web import make_app
from sandbox.client import SandboxClient
from settings import Settings
from tests.factories import Servers
from tests.fake_handlers import FakeEffect, external_handler
from tests.pipeline import Pipeline
from tests.services.sentry.sandbox_process import close_sentry, reports, sandbox_process
from tests.web.requests import KEY, STRUCTURED, cloud_event

CANARY = "canary-7f3a"
TRACE, SPAN = f"{11:032x}", f"{12:016x}"
PERSONAL = {
    "Cookie": f"session={CANARY}",
    "User-Agent": f"{CANARY}/1.0",
    "Referer": f"https://{CANARY}.example.com/",
    "X-Forwarded-For": CANARY,
    "sentry-trace": f"{TRACE}-{SPAN}-0",
    "baggage": f"sentry-trace_id={TRACE},sentry-release={CANARY},sentry-user_id={CANARY}",
}


@pytest.fixture(scope="module")
def sentry_sandbox(servers: Servers) -> Iterator[SandboxClient]:
    with sandbox_process(servers.redis_url) as sandbox:
        yield sandbox


@pytest.fixture
def watched(assembly: Assembly, sentry_sandbox: SandboxClient) -> Iterator[Settings]:
    """Settings of a process that has Sentry."""
    sentry_sandbox.reset()
    settings = sandbox_settings(assembly.settings, sentry_sandbox.url, upstash=False)
    yield settings.model_copy(update={"sentry_traces_sample_rate": 1.0})
    close_sentry()


@contextmanager
def serving(settings: Settings) -> Iterator[TestClient]:
    app = make_app(settings)
    with TestClient(app, headers=KEY | STRUCTURED, raise_server_exceptions=False) as client:
        yield client


@contextmanager
def refusing(database: Database) -> Iterator[None]:
    """The table of events refuses every row, and quotes the whole row in its error."""
    column = "ALTER TABLE insights.events ALTER COLUMN causation_id {} NOT NULL"
    with database.begin() as connection:
        connection.execute(text(column.format("SET")))
    try:
        yield
    finally:
        with database.begin() as connection:
            connection.execute(text(column.format("DROP")))


def spans_of(transaction: Any) -> set[str]:
    return {each["span_id"] for each in [transaction["contexts"]["trace"], *transaction["spans"]]}


def test_a_crash_is_reported_without_anything_that_was_sent(
    assembly: Assembly, watched: Settings, sentry_sandbox: SandboxClient, user_id: UUID
) -> None:
    user = {"email": f"{CANARY}@example.com", "name": f"{CANARY} Lovelace"}
    event = cloud_event(user_id, type="user.signed_up", data=user)
    with serving(watched) as client, refusing(assembly.engine):
        answer = client.post(
            f"/events?email={CANARY}%40example.com", content=json.dumps(event), headers=PERSONAL
        )

    assert answer.status_code == 500
    (report,) = reports(sentry_sandbox, "events")
    assert report["exception"]["values"][-1]["type"] == "IntegrityError"
    assert report["request"] == {"method": "POST", "url": "http://testserver/events"}
    assert report["contexts"]["trace"]["trace_id"] == TRACE
    sent = sentry_sandbox.sentry_envelopes()
    assert len(sent) > 1
    assert not [raw for raw in sent if CANARY in raw or "a-key-for-the-tests" in raw]


def test_the_trace_of_a_request_goes_on_in_the_handler(
    assembly: Assembly, watched: Settings, sentry_sandbox: SandboxClient, user_id: UUID
) -> None:
    pipeline = Pipeline(Assembly(watched))
    pipeline.follow(external_handler(FakeEffect()))
    with serving(watched) as client:
        answer = client.post("/events", content=json.dumps(cloud_event(user_id)))
    assert answer.status_code == 202
    pipeline.work()
    pipeline.follow(*assembly.handlers.values())
    pipeline.assembly.close()

    asked, handled = reports(sentry_sandbox, "transactions")
    assert (asked["transaction"], handled["transaction"]) == ("/events", "external")
    trace, begun_by = (handled["contexts"]["trace"][k] for k in ("trace_id", "parent_span_id"))
    assert trace == asked["contexts"]["trace"]["trace_id"]
    assert begun_by in spans_of(asked)


@pytest.mark.parametrize(("rate", "parent", "count"), [(0.0, 1, 0), (1.0, 0, 1)])
def test_a_client_without_a_key_does_not_choose_what_is_traced(
    rate: float, parent: int, count: int, watched: Settings, sentry_sandbox: SandboxClient
) -> None:
    settings = watched.model_copy(update={"sentry_traces_sample_rate": rate})
    headers = {"sentry-trace": f"{TRACE}-{SPAN}-{parent}", "Authorization": ""}
    with serving(settings) as client:
        assert client.post("/events", headers=headers).status_code == 401

    assert len(reports(sentry_sandbox, "transactions")) == count
