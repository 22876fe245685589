"""`insights bench`: how fast, how soon, how cheap, beside others doing the same work."""

import json
import signal
from dataclasses import replace
from typing import Annotated, NoReturn

import typer

from cli.app import app, console, problems
from errors import InsightsError
from settings import load_settings


class UnknownScenario(InsightsError):
    """Raised when `--only` names something that is not measured."""


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
    from benchmarks.figures import Figure
    from benchmarks.ground import ground
    from benchmarks.machine import look_at
    from benchmarks.report import as_json as to_json
    from benchmarks.report import as_table
    from benchmarks.scenarios import SCENARIOS
    from benchmarks.sizes import QUICK, Sizes

    wanted = chosen(only, list(SCENARIOS))
    sizes = QUICK if quick else Sizes()
    sizes = sizes if events is None else replace(sizes, events=events)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    figures: list[Figure] = []
    with ground(load_settings()) as where:
        machine = look_at(where)
        for name in wanted:
            with problems.status(f"measuring {name} …"):
                figures += SCENARIOS[name](where, sizes).figures()
    if as_json:
        typer.echo(json.dumps(to_json(machine, sizes, figures), indent=2))
    else:
        console.print(as_table(machine, figures))
    if strict and any(figure.ok is False for figure in figures):
        raise typer.Exit(1)


def chosen(only: str | None, names: list[str]) -> list[str]:
    """The scenarios of a comma-separated list, or all. Raises UnknownScenario."""
    wanted = [name.strip() for name in only.split(",")] if only else names
    for name in wanted:
        if name not in names:
            raise UnknownScenario(f"No scenario is called '{name}'. There are: {', '.join(names)}")
    return wanted


def interrupt(*_: object) -> NoReturn:
    """Stop measuring, and let nothing disturb the stopping of what was started."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
