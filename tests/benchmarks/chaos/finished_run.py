"""A small load, handled in this process without any fault, and what it left behind."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, text

from benchmarks.chaos.compare import compare
from benchmarks.chaos.expected.effects import Expected, expected_effects
from benchmarks.chaos.load.steps import make_load
from benchmarks.chaos.load.users import insert_paying_users
from benchmarks.chaos.observed.effects import Observed, observed_effects
from benchmarks.chaos.observed.progress import ObservedProgress, ProgressWatcher
from benchmarks.chaos.observed.providers import read_providers
from benchmarks.chaos.system.events import WorkAsked
from benchmarks.chaos.system.provider_client import PROVIDER_URL, provider
from benchmarks.chaos.system.provider_double import ProviderDouble, read_calls
from benchmarks.chaos.system.release import NEXT_PACKAGES
from benchmarks.chaos.system.servers import prepare_database
from events import Event
from runtime.assembly import Assembly
from runtime.sandbox_settings import sandbox_settings
from settings import Settings
from tests.doubles import Doubles
from tests.factories import Servers, new_database, publish_now
from tests.pipeline import Pipeline

SEED, SECONDS = 7, 8


@dataclass(frozen=True)
class FinishedRun:
    """What had to follow from a run, and where its effects are."""

    assembly: Assembly
    expected: Expected
    calls_record: Path
    watcher: ProgressWatcher
    sandbox: Doubles

    def observe(self, change: str | None = None) -> Observed:
        """Everything that is there, as if the statement `change` had been executed."""
        with self.assembly.engine.connect() as connection:
            if change is not None:
                connection.execute(text(change))
            return self.read(connection)

    def read(self, connection: Connection) -> Observed:
        shown, stale = self.watcher.shown, self.watcher.stale
        progress = ObservedProgress(shown, stale, dict(self.expected.progress))
        calls, providers = read_calls(self.calls_record), read_providers(self.sandbox)
        return observed_effects(connection, calls, progress, providers)

    def defects(self, observed: Observed) -> set[str]:
        """What is wrong, in the form 'lost event'."""
        findings = compare(self.expected, observed)
        return {f"{finding.defect} {finding.effect}" for finding in findings}


@contextmanager
def run_without_faults(servers: Servers, sandbox: Doubles, folder: Path) -> Iterator[FinishedRun]:
    """Publish a load and handle all of it."""
    calls_record = folder / "calls.jsonl"
    double = ProviderDouble(calls_record)
    serving = threading.Thread(target=double.serve_forever)
    serving.start()
    watcher = ProgressWatcher(servers.redis_url)
    watcher.start()
    watcher.wait_until_listening()
    with new_database(servers.database_url) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv(PROVIDER_URL, double.url)
        provider.cache_clear()
        sandbox.reset()
        sandbox.set_loops_rate_limit(10_000)
        assembly = assemble(url, servers.redis_url, folder, sandbox)
        expected = publish_and_handle(assembly)
        watcher.stop()
        yield FinishedRun(assembly, expected, calls_record, watcher, sandbox)
        provider().http.close()
        provider.cache_clear()
        assembly.close()
    double.shutdown()
    double.server_close()
    serving.join()


def assemble(database_url: str, redis_url: str, home: Path, sandbox: Doubles) -> Assembly:
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        insights_home=home,
        # It has the handlers of both releases.
        extra_packages=NEXT_PACKAGES,
        loops_rate=1000,
    )
    provided = sandbox_settings(settings, sandbox.url, upstash=False)
    return Assembly(provided.model_copy(update={"sentry_dsn": None}))


def publish_and_handle(assembly: Assembly) -> Expected:
    prepare_database(assembly)
    load = make_load(SEED, SECONDS, datetime.now(UTC))
    insert_paying_users(assembly, load.users)
    pipeline = Pipeline(assembly)
    for step in load.steps:
        publish_now(assembly, *map(without_waiting, step.events))
    for _ in range(9):
        pipeline.work()
        pipeline.pass_time()
    return expected_effects(load)


def without_waiting(event: Event) -> Event:
    return event.model_copy(update={"seconds": 0.0}) if isinstance(event, WorkAsked) else event
