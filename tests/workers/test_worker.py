"""A worker: which handlers it runs, and how it works and ends as a process of its own."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from events import PredictionMade, UserSignedUp, uuid7
from runtime import connection_budget
from runtime.assembly import Assembly
from runtime.clients import providers_with_key
from runtime.environment import environment
from runtime.supervisor import insights_command
from sandbox.server import SandboxServer
from services.redis.doorbell import channel_of, queue_bell
from settings import Settings
from tests.doubles import Doubles
from tests.factories import publish_now
from tests.fake_handlers import FakeEffect, external_handler
from tests.waiting import wait_until
from workers.worker import UnknownHandler, choose, threads_of

Start = Callable[..., "subprocess.Popen[bytes]"]
IN_TIME = 30.0  # seconds for a process to start and to work

FAKES = {
    name: external_handler(FakeEffect(), name, concurrency=concurrency)
    for name, concurrency in (("emails", 2), ("usage", 4))
}


def test_a_worker_runs_all_handlers_or_those_that_are_named() -> None:
    assert choose(FAKES) == list(FAKES.values())
    assert choose(FAKES, " usage ,emails") == [FAKES["usage"], FAKES["emails"]]


def test_an_unknown_handler_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UnknownHandler, match=r"'usages'. There are: emails, usage"):
        choose(FAKES, "emails,usages")


def test_a_bound_on_threads_bounds_the_concurrency_of_each_handler() -> None:
    assert threads_of(choose(FAKES)) == 6
    assert [handler.concurrency for handler in choose(FAKES, threads=3)] == [2, 3]


def test_a_bound_on_threads_bounds_them_in_all() -> None:
    assert threads_of(choose(FAKES, threads=3), 3) == 3
    assert threads_of(choose(FAKES, threads=9), 9) == 6


@pytest.fixture(params=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest, assembly: Assembly) -> str:
    if request.param == "redis":
        return assembly.settings.redis
    url = os.getenv("TEST_AMQP_URL")
    if url is None:
        pytest.skip("TEST_AMQP_URL names no RabbitMQ")
    return url


@pytest.fixture
def start() -> Iterator[Start]:
    """Start commands of the product; processes that still run at the end are killed."""
    processes = []

    def start(settings: Settings, *arguments: str, **more: str) -> "subprocess.Popen[bytes]":
        variables = os.environ | environment(settings) | more
        processes.append(subprocess.Popen(insights_command(*arguments), env=variables))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def count(assembly: Assembly, query: str) -> int:
    with assembly.engine.connect() as connection:
        return int(connection.scalar(text(query)) or 0)


def owed(assembly: Assembly) -> int:
    return count(assembly, "SELECT count(*) FROM insights.delivery_states WHERE handler = 'usage'")


def publish_predictions(assembly: Assembly, user: UUID, number: int) -> None:
    publish_now(assembly, *(PredictionMade(user_id=user, model_id="m") for _ in range(number)))


def test_what_is_published_is_handled_and_sigterm_ends_relay_and_worker_in_order(
    assembly: Assembly, user_id: UUID, broker_url: str, start: Start
) -> None:
    relay = start(assembly.settings, "relay", BROKER_URL=broker_url)
    worker = start(assembly.settings, "worker", "--handlers", "usage", BROKER_URL=broker_url)
    publish_predictions(assembly, user_id, 1500)

    wait_until(lambda: owed(assembly) == 0, IN_TIME)
    publish_predictions(assembly, user_id, 1)
    wait_until(lambda: owed(assembly) == 0, IN_TIME)

    for process in (relay, worker):
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    query = "SELECT predictions_this_month FROM public.usage_limits"
    assert count(assembly, query) == 1501


def test_a_killed_worker_loses_nothing_and_counts_nothing_twice(
    assembly: Assembly, user_id: UUID, broker_url: str, start: Start
) -> None:
    start(assembly.settings, "relay", BROKER_URL=broker_url)
    victim = start(assembly.settings, "worker", "--handlers", "usage", BROKER_URL=broker_url)
    publish_predictions(assembly, user_id, 1500)
    wait_until(lambda: owed(assembly) < 1500, IN_TIME)
    victim.kill()
    victim.wait()
    assert count(assembly, "SELECT count(*) FROM insights.usage_ledger") + owed(assembly) == 1500

    start(assembly.settings, "worker", "--handlers", "usage", BROKER_URL=broker_url)
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET due_at = now() WHERE leased"))

    wait_until(lambda: owed(assembly) == 0, IN_TIME)
    assert count(assembly, "SELECT predictions_this_month FROM public.usage_limits") == 1500


@pytest.fixture
def silent_sentry() -> Iterator[SandboxServer]:
    """A double of Sentry that answers no request before it runs: what comes meanwhile waits."""
    server = SandboxServer()
    yield server
    server.stop()
    server.listening.close()


def test_what_failed_just_before_a_worker_ends_is_still_reported(
    assembly_with_doubles: Assembly,
    doubles: Doubles,
    silent_sentry: SandboxServer,
    start: Start,
) -> None:
    assembly = assembly_with_doubles
    doubles.set_fault("loops", "status", status=400)
    dsn = SecretStr(f"{silent_sentry.url.replace('//', '//key@')}/sentry/1")
    settings = assembly.settings.model_copy(
        update={"sentry_dsn": dsn, "sentry_traces_sample_rate": 0.0}
    )
    both = [UserSignedUp(user_id=uuid7(), email=f"{name}@example.com") for name in "ab"]
    publish_now(assembly, *both)
    start(settings, "relay")
    worker = start(settings, "worker", "--handlers", "profiles,emails_awaited")
    dead = "SELECT count(*) FROM insights.deliveries WHERE died_at IS NOT NULL"
    wait_until(lambda: count(assembly, dead) == 2, IN_TIME)
    worker.send_signal(signal.SIGTERM)
    channel = channel_of(queue_bell("emails_awaited"))
    wait_until(lambda: not assembly.redis.pubsub_numsub(channel)[0][1])
    # A worker that does not wait for Sentry has ended by then.
    with suppress(subprocess.TimeoutExpired):
        worker.wait(0.5)
    answering = threading.Thread(target=silent_sentry.run)
    answering.start()
    try:
        assert worker.wait(20) == 0
    finally:
        silent_sentry.stop()
        answering.join()

    reports = silent_sentry.providers.sentry.of_type("event")
    assert {each["contexts"]["delivery"]["id"] for each in reports} == {str(e.id) for e in both}


def test_a_worker_opens_no_more_connections_than_are_counted_for_it(
    assembly: Assembly, start: Start, user_id: UUID
) -> None:
    role = f"worker_{user_id.hex}"
    opened = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'"
    with assembly.engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN SUPERUSER"))
    url = assembly.settings.database_url
    assert url is not None
    as_role = url.get_secret_value().replace("://postgres@", f"://{role}@")
    settings = assembly.settings.model_copy(update={"database_url": SecretStr(as_role)})
    publish_predictions(assembly, user_id, 2000)
    start(assembly.settings, "relay")
    worker = start(settings, "worker", "--threads", "2")
    most = 0

    def all_is_counted() -> bool:
        nonlocal most
        most = max(most, count(assembly, opened))
        return owed(assembly) == 0

    wait_until(all_is_counted, IN_TIME)

    worker.kill()
    worker.wait()
    with assembly.engine.begin() as connection:
        connection.execute(text(f"DROP ROLE {role}"))
    assert 1 <= most <= connection_budget.of_worker(2)


def test_a_worker_without_the_key_leaves_emails_to_one_that_has_it(
    assembly_with_doubles: Assembly, assembly: Assembly, doubles: Doubles, start: Start
) -> None:
    publish_now(assembly, UserSignedUp(user_id=uuid7(), email="ada@example.com"))
    start(assembly.settings, "relay")
    start(assembly.settings, "worker")
    owed = "SELECT count(*) FROM insights.delivery_states"
    needs_no_key = (
        f"{owed} WHERE handler IN (SELECT name FROM insights.handlers WHERE provider IS NULL)"
    )
    wait_until(lambda: count(assembly, needs_no_key) == 0, IN_TIME)
    # Those of analytics, contacts and emails_awaited wait, at no attempt.
    assert count(assembly, owed) == 3
    assert count(assembly, "SELECT coalesce(sum(attempts), 0) FROM insights.deliveries") == 0

    start(assembly_with_doubles.settings, "worker")
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET due_at = now() WHERE leased"))
    wait_until(lambda: count(assembly, owed) == 0, IN_TIME)
    assert [mail.template for mail in doubles.loops.mails] == ["welcome"]


def test_a_worker_with_the_key_switches_a_provider_on_that_nobody_decided_about(
    assembly: Assembly, doubles: Doubles, start: Start
) -> None:
    on = "SELECT count(*) FROM insights.providers WHERE is_on"
    settings = doubles.settings(assembly.settings)
    start(settings, "worker", "--handlers", "usage")

    wait_until(lambda: count(assembly, on) == len(providers_with_key(settings)), IN_TIME)
