"""One run: everything is started, broken, left to settle, stopped, and then counted."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.chaos.accounts import done
from benchmarks.chaos.board import rebuild
from benchmarks.chaos.books import balance
from benchmarks.chaos.client import URL
from benchmarks.chaos.copier import Copier
from benchmarks.chaos.errors import ChaosFailed
from benchmarks.chaos.expected import Expected, expect
from benchmarks.chaos.faults import Faults
from benchmarks.chaos.ground import HANDLERS, Ground, add_customers, ground, prepare
from benchmarks.chaos.load import make_load
from benchmarks.chaos.outcome import Outcome
from benchmarks.chaos.product import Product, running_product
from benchmarks.chaos.seen import Seen, look
from benchmarks.chaos.settling import settle
from benchmarks.chaos.storm import Storm
from benchmarks.chaos.told import read_told
from benchmarks.chaos.witness import Witness
from benchmarks.processes import Processes
from runtime.doubles import settings_for
from runtime.embedded.discovery import environment, plain
from settings import Settings

RECORD = "calls.jsonl"
PUBLISHED_WITHIN = 300.0


@dataclass(frozen=True)
class Stage:
    """Everything that runs."""

    ground: Ground
    processes: Processes
    product: Product
    witness: Witness
    copier: Copier
    storm: Storm


def run(
    settings: Settings,
    seconds: float,
    seed: int,
    logs: Path | None = None,
    *,
    upstash: bool = False,
) -> Outcome:
    """Run chaos for so many seconds and balance the books. Raises ChaosFailed, ServerFailed."""
    with stage(settings, seed, logs, upstash=upstash) as at:
        start = datetime.now(UTC)
        load = make_load(seed, seconds, start)
        expected = expect(load)
        add_customers(at.ground.assembly, load.people)
        publisher = at.processes.start(
            "publisher", *module("publisher", str(seed), str(seconds), start.isoformat())
        )
        at.storm.rage(random.Random(seed), seconds)
        at.storm.abate()
        finish(publisher)
        at.product.wait_until_up()
        settled = settle(at.ground.assembly.engine)
        at.storm.settled.set()
        handled = done(at.ground.assembly.engine, at.ground.assembly.handlers)
        seen = stop_and_look(at, expected, settled=settled is not None)
        return Outcome(
            seed=seed,
            seconds=seconds,
            published=len(expected.published),
            handled=handled or 0,
            calls=len(seen.calls),
            copies=at.copier.copies,
            settled=settled,
            findings=balance(expected, seen),
            injected=at.storm.injected,
        )


@contextmanager
def stage(settings: Settings, seed: int, logs: Path | None, *, upstash: bool) -> Iterator[Stage]:
    """Start everything; stop it at the end of the `with` block, whatever happens in it."""
    with ExitStack() as stack:
        where = stack.enter_context(ground(settings, logs, upstash=upstash))
        prepare(where.assembly)
        processes = stack.enter_context(Processes(where.folder, surroundings(where)))
        provider = start_provider(where, processes)
        witness, copier = Witness(where.valkey.url), Copier(where.valkey.url, random.Random(seed))
        for watcher in (witness, copier):
            watcher.start()
            stack.callback(watcher.stop)
        product = stack.enter_context(
            running_product(where, processes.environment | {URL: provider})
        )
        witness.wait()
        faults = Faults(where, product, witness, copier, provider, random.Random(seed))
        storm = Storm(faults)
        stack.callback(storm.end)
        yield Stage(where, processes, product, witness, copier, storm)


def surroundings(where: Ground) -> dict[str, str]:
    """What all processes are told."""
    told = {"EXTRA_PACKAGES": HANDLERS, "LOG_FORMAT": "json", "SENTRY_TRACES_SAMPLE_RATE": "0.1"}
    dsn = {"SENTRY_DSN": plain(settings_for(where.assembly.settings, where.sandbox).sentry_dsn)}
    return environment(where.assembly.settings) | told | dsn


def start_provider(where: Ground, processes: Processes) -> str:
    """Start the provider's double; return its address."""
    record = where.folder / RECORD
    record.touch()
    provider = processes.start("provider", *module("provider", str(record)), talks=True)
    url = provider.stdout.readline().strip() if provider.stdout else ""
    if not url:
        raise ChaosFailed("The provider's double does not start.")
    return url


def finish(publisher: "subprocess.Popen[str]") -> None:
    """Wait until everything is published. Raises ChaosFailed."""
    try:
        code = publisher.wait(PUBLISHED_WITHIN)
    except subprocess.TimeoutExpired:
        raise ChaosFailed("The publisher does not come to its end.") from None
    if code:
        raise ChaosFailed(f"The publisher ended with {code}.")


def stop_and_look(at: Stage, expected: Expected, *, settled: bool) -> Seen:
    """Have the board rebuilt, stop what might still do something, and read what is there."""
    engine, witness = at.ground.assembly.engine, at.witness
    board = rebuild(engine, witness, expected.news) if settled else dict(expected.news)
    at.storm.end()
    at.product.stop()
    time.sleep(0.2)
    witness.stop()
    record = at.ground.folder / RECORD
    with engine.connect() as connection:
        told = read_told(at.ground.sandbox)
        return look(connection, record, witness.shown, witness.stale, board, told)


def module(name: str, *arguments: str) -> list[str]:
    """The command line of one of our own processes."""
    return [sys.executable, "-m", f"benchmarks.chaos.{name}", *arguments]
