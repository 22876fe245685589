"""One run: start everything, break it under load, wait until all is done, stop, compare."""

import random
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.chaos.capacity import SHARE, publish_and_drain
from benchmarks.chaos.compare import compare
from benchmarks.chaos.deliveries import Counts, count, replay, wait_until_done
from benchmarks.chaos.expected.effects import Expected, expected_effects
from benchmarks.chaos.faults.series import BEFORE, TOO_SHORT, FaultSeries
from benchmarks.chaos.load import publisher
from benchmarks.chaos.load.steps import Load, SteadyPart, first_load, make_load
from benchmarks.chaos.load.users import insert_paying_users
from benchmarks.chaos.observed.effects import Observed, observed_effects
from benchmarks.chaos.observed.progress import ObservedProgress
from benchmarks.chaos.observed.providers import read_providers
from benchmarks.chaos.options import Options
from benchmarks.chaos.report import Report
from benchmarks.chaos.setup import Setup, started
from benchmarks.chaos.system.provider_double import read_calls
from benchmarks.chaos.throughput import SHORTEST_WINDOW, Throughput
from benchmarks.errors import ChaosFailed
from settings import Settings

PUBLISH_TIMEOUT = 300.0  # s after the last fault; the publisher waits for a crashed PostgreSQL
LAST_MESSAGES = 0.2  # s; what was published just before the product stopped is still received


def run(settings: Settings, options: Options) -> Report:
    """Break things, then count every effect. Raises ChaosFailed, ServerFailed."""
    with started(settings, options) as setup:
        storm = options.storm(len(setup.injector.kinds))
        rest = options.seconds - storm
        has_series = rest > BEFORE + SHORTEST_WINDOW
        first, rate = prepare(setup, options) if has_series else (Load([], []), None)
        steady = None if rate is None else SteadyPart(rate, storm, options.seconds)
        start = datetime.now(UTC)
        load = make_load(options.seed, storm, start, steady)
        expected = expected_effects(first + load)
        insert_paying_users(setup.servers.assembly, load.users)
        publishing = start_publisher(setup, options.seed, storm, start, steady)
        until = time.monotonic() + options.seconds
        setup.injector.run(random.Random(options.seed), storm)
        setup.injector.wait_until_ended()
        throughputs = measure(setup, options, rate, until)
        wait_until_published(publishing)
        with setup.product.with_next_release():
            setup.product.wait_until_up()
            done_after, counts = wait_until_all_done(setup)
            observed = stop_and_observe(setup, expected, all_done=done_after is not None)
        return Report(
            seed=options.seed,
            seconds=options.seconds,
            published=len(expected.published),
            handled=counts.total(counts.done),
            calls=len(observed.calls),
            copies=setup.duplicator.copies,
            lost_bells=setup.duplicator.lost,
            done_after=done_after,
            findings=compare(expected, observed),
            injected=[each for each in setup.injector.injected if each.made],
            rate=rate,
            throughputs=throughputs,
        )


def prepare(setup: Setup, options: Options) -> tuple[Load, float]:
    """Publish what comes before the rest; return it, and the rate of the steady load."""
    assembly = setup.servers.assembly
    first = first_load(options.seed, datetime.now(UTC), with_backlog=options.rate is None)
    insert_paying_users(assembly, first.users)
    capacity = publish_and_drain(assembly, first)
    return first, options.rate or capacity * SHARE


def measure(
    setup: Setup, options: Options, rate: float | None, until: float
) -> Sequence[Throughput]:
    """Inject each fault alone until `until` (monotonic seconds), if there is a steady load."""
    kinds = setup.injector.kinds
    if rate is None:
        measured = (name for name, kind in kinds.items() if kind.measured is not None)
        return [Throughput(name, unknown=TOO_SHORT) for name in measured]
    series = FaultSeries(kinds, setup.product, setup.servers.assembly, rate, until)
    series.run(random.Random(options.seed))
    return series.measured


def start_publisher(
    setup: Setup, seed: int, seconds: float, start: datetime, steady: SteadyPart | None
) -> "subprocess.Popen[str]":
    """Start the process that publishes the load."""
    arguments = [str(seed), str(seconds), start.isoformat()]
    if steady is not None:
        arguments += map(str, (steady.rate, steady.first, steady.last))
    return setup.processes.start("publisher", sys.executable, "-m", publisher.__name__, *arguments)


def wait_until_published(publishing: "subprocess.Popen[str]") -> None:
    """Wait until everything is published. Raises ChaosFailed."""
    try:
        code = publishing.wait(PUBLISH_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise ChaosFailed("The publisher does not end.") from None
    if code:
        raise ChaosFailed(f"The publisher ended with {code}.")


def wait_until_all_done(setup: Setup) -> tuple[float | None, Counts]:
    """Wait until nothing is owed; return how long that took, if it came, and what was done."""
    assembly = setup.servers.assembly
    done_after = wait_until_done(assembly.engine)
    setup.injector.all_done.set()
    counts = count(assembly.engine, assembly.handlers)
    if counts is None:
        raise ChaosFailed("PostgreSQL does not answer.")
    return done_after, counts


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
