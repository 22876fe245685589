"""The command that measures throughput, latency and idle cost, beside other queues."""

import json
from dataclasses import replace
from typing import Annotated

import typer

from cli.app import app, console, problems
from errors import InsightsError
from runtime.signals import interrupt_on_signals
from settings import load_settings


class UnknownScenario(InsightsError):
    """Raised when `--only` names a scenario that does not exist."""


@app.command()
def bench(
    as_json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False,
    only: Annotated[
        str | None,
        typer.Option(help="Some of drain, publish, latency, idle, growth, hot, providers."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes: does it run? The figures say little.")
    ] = False,
    events: Annotated[int | None, typer.Option(min=100, help="How large a drain is.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when a target is missed.")
    ] = False,
) -> None:
    """Measure, on databases of its own; some 15 minutes on an otherwise idle machine."""
    from benchmarks.report import as_json as to_json
    from benchmarks.report import as_table
    from benchmarks.run import run
    from benchmarks.scenarios import SCENARIOS
    from benchmarks.sizes import QUICK, Sizes

    wanted = parse_only(only, list(SCENARIOS))
    sizes = QUICK if quick else Sizes()
    sizes = sizes if events is None else replace(sizes, events=events)
    # Ctrl-C must still stop the processes and drop the databases of a measurement.
    interrupt_on_signals()
    report = run(
        load_settings(), wanted, sizes, lambda name: problems.status(f"measuring {name} …")
    )
    if as_json:
        typer.echo(json.dumps(to_json(report), indent=2))
    else:
        console.print(as_table(report))
    if strict and not report.targets_met:
        raise typer.Exit(1)


def parse_only(only: str | None, names: list[str]) -> list[str]:
    """The scenarios of a comma-separated list, or all of `names`. Raises UnknownScenario."""
    wanted = [name.strip() for name in only.split(",")] if only else names
    for name in wanted:
        if name not in names:
            raise UnknownScenario(f"No scenario is called '{name}'. There are: {', '.join(names)}")
    return wanted
