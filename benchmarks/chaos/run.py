"""One run: start everything, break it under load, wait until all is done, stop, compare."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.chaos.compare import compare
from benchmarks.chaos.deliveries import count_done, replay, wait_until_done
from benchmarks.chaos.expected.effects import Expected, expected_effects
from benchmarks.chaos.faults.injector import FaultInjector
from benchmarks.chaos.faults.kinds import Faults
from benchmarks.chaos.faults.message_duplicator import MessageDuplicator
from benchmarks.chaos.load import publisher
from benchmarks.chaos.load.steps import make_load
from benchmarks.chaos.load.users import insert_paying_users
from benchmarks.chaos.observed.effects import Observed, observed_effects
from benchmarks.chaos.observed.progress import ObservedProgress, ProgressWatcher
from benchmarks.chaos.observed.providers import read_providers
from benchmarks.chaos.report import Report
from benchmarks.chaos.system import provider_double
from benchmarks.chaos.system.processes import ProductProcesses, running_product
from benchmarks.chaos.system.provider_client import PROVIDER_URL
from benchmarks.chaos.system.provider_double import read_calls
from benchmarks.chaos.system.servers import (
    HANDLERS_MODULE,
    PrivateServers,
    prepare_database,
    private_servers,
)
from benchmarks.errors import ChaosFailed
from benchmarks.processes import Processes
from runtime.environment import as_variable, environment
from runtime.sandbox_settings import sandbox_settings
from settings import Settings

PUBLISH_TIMEOUT = 300.0  # s after the last fault; the publisher waits for a crashed PostgreSQL
LAST_MESSAGES = 0.2  # s; what was published just before the product stopped is still received


@dataclass(frozen=True)
class Setup:
    """Everything that takes part in a run; `calls_record` is the provider double's file."""

    servers: PrivateServers
    processes: Processes
    product: ProductProcesses
    progress: ProgressWatcher
    duplicator: MessageDuplicator
    injector: FaultInjector
    calls_record: Path


def run(
    settings: Settings,
    seconds: float,
    seed: int,
    logs: Path | None = None,
    *,
    upstash: bool = False,
) -> Report:
    """Break things for so many seconds, then count every effect. Raises ChaosFailed, ServerFailed.

    With `upstash`, Redis services go over the double of Upstash's REST API. Logs are copied to the
    folder `logs`.
    """
    with started(settings, seed, logs, upstash=upstash) as setup:
        assembly = setup.servers.assembly
        start = datetime.now(UTC)
        load = make_load(seed, seconds, start)
        expected = expected_effects(load)
        insert_paying_users(assembly, load.users)
        publishing = start_publisher(setup.processes, seed, seconds, start)
        setup.injector.run(random.Random(seed), seconds)
        setup.injector.wait_until_ended()
        wait_until_published(publishing)
        setup.product.wait_until_up()
        done_after = wait_until_done(assembly.engine)
        setup.injector.all_done.set()
        handled = count_done(assembly.engine, assembly.handlers)
        observed = stop_and_observe(setup, expected, all_done=done_after is not None)
        return Report(
            seed=seed,
            seconds=seconds,
            published=len(expected.published),
            handled=handled or 0,
            calls=len(observed.calls),
            copies=setup.duplicator.copies,
            done_after=done_after,
            findings=compare(expected, observed),
            injected=setup.injector.injected,
        )


@contextmanager
def started(settings: Settings, seed: int, logs: Path | None, *, upstash: bool) -> Iterator[Setup]:
    """Start everything; stop it at the end of the `with` block, whatever happens in it."""
    with ExitStack() as stack:
        servers = stack.enter_context(private_servers(settings, logs, upstash=upstash))
        prepare_database(servers.assembly)
        processes = stack.enter_context(Processes(servers.folder, variables(servers)))
        calls_record = servers.folder / "calls.jsonl"
        provider_url = start_provider(processes, calls_record)
        progress = ProgressWatcher(servers.valkey.url)
        duplicator = MessageDuplicator(servers.valkey.url, random.Random(seed))
        for thread in (progress, duplicator):
            thread.start()
            stack.callback(thread.stop)
        product = stack.enter_context(
            running_product(servers, processes.environment | {PROVIDER_URL: provider_url})
        )
        progress.wait_until_listening()
        faults = Faults(servers, product, progress, duplicator, provider_url, random.Random(seed))
        injector = FaultInjector(faults)
        stack.callback(injector.stop)
        yield Setup(servers, processes, product, progress, duplicator, injector, calls_record)


def variables(servers: PrivateServers) -> dict[str, str]:
    """The environment variables of all processes of the run."""
    settings = servers.assembly.settings
    return environment(settings) | {
        "EXTRA_PACKAGES": HANDLERS_MODULE,
        "LOG_FORMAT": "json",
        "SENTRY_DSN": as_variable(sandbox_settings(settings, servers.sandbox.url).sentry_dsn),
        "SENTRY_TRACES_SAMPLE_RATE": "0.1",
    }


def start_provider(processes: Processes, calls_record: Path) -> str:
    """Start the provider's double; return its address. Raises ChaosFailed."""
    calls_record.touch()
    command = (sys.executable, "-m", provider_double.__name__, str(calls_record))
    provider = processes.start("provider", *command, talks=True)
    url = provider.stdout.readline().strip() if provider.stdout else ""
    if not url:
        raise ChaosFailed("The provider's double does not start.")
    return url


def start_publisher(
    processes: Processes, seed: int, seconds: float, start: datetime
) -> "subprocess.Popen[str]":
    """Start the process that publishes the load."""
    arguments = (str(seed), str(seconds), start.isoformat())
    return processes.start("publisher", sys.executable, "-m", publisher.__name__, *arguments)


def wait_until_published(publishing: "subprocess.Popen[str]") -> None:
    """Wait until everything is published. Raises ChaosFailed."""
    try:
        code = publishing.wait(PUBLISH_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise ChaosFailed("The publisher does not end.") from None
    if code:
        raise ChaosFailed(f"The publisher ended with {code}.")


def stop_and_observe(setup: Setup, expected: Expected, *, all_done: bool) -> Observed:
    """Replay progress, stop everything that might still change something, and read what is there.

    Where not all is done, there is nothing to replay: what is still owed is found anyway.
    """
    engine, progress = setup.servers.assembly.engine, setup.progress
    if all_done:
        progress.flush()
        replay(engine, "progress")
        replayed = {training_id: progress.read(training_id) for training_id in expected.progress}
    else:
        replayed = dict(expected.progress)
    setup.injector.stop()
    setup.product.stop()
    time.sleep(LAST_MESSAGES)
    progress.stop()
    with engine.connect() as connection:
        return observed_effects(
            connection,
            read_calls(setup.calls_record),
            ObservedProgress(progress.shown, progress.stale, replayed),
            read_providers(setup.servers.sandbox),
        )
