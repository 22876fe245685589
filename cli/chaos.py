"""The command that breaks everything under a known load, then checks every effect."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from cli.app import app, console, problems
from cli.options import Json
from cli.output import write_json
from runtime.logs import set_up_logs
from runtime.signals import interrupt_on_signals
from settings import load_settings

Seconds: TypeAlias = Annotated[float, typer.Option(min=5, help="How long things break.")]
Seed: TypeAlias = Annotated[
    int, typer.Option(help="What is drawn: the load, and what breaks when.")
]
Faults: TypeAlias = Annotated[
    str | None, typer.Option(help="Only these, by the names in the report, with commas between.")
]
Rate: TypeAlias = Annotated[
    float | None,
    typer.Option(min=1, help="Events/s while throughput is measured; else half the capacity."),
]
Beside: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Folder or commit of the release that comes and goes beside this one."),
]
Upstash: TypeAlias = Annotated[
    bool, typer.Option("--upstash", help="Redis services over the double of Upstash's REST API.")
]
Logs: TypeAlias = Annotated[
    Path | None, typer.Option(help="Keep what all processes logged in this folder.")
]


@app.command()
def chaos(
    *,
    seconds: Seconds = 60,
    seed: Seed = 1,
    faults: Faults = None,
    rate: Rate = None,
    beside: Beside = None,
    upstash: Upstash = False,
    logs: Logs = None,
    as_json: Json = False,
) -> None:
    """Kill, freeze and flush everything under load, then count every effect of every event.

    It runs relays, workers and a scheduler on private servers of its own. First
    many faults overlap; then, if there is time left, each comes alone under a
    steady load. Exits with 1 if anything was lost, done twice, given up, or done
    outside without its idempotency key, or if handlers that a fault does not
    concern fell below 0.8 of their throughput.
    """
    from benchmarks.chaos.options import Options
    from benchmarks.chaos.report import as_json as to_json
    from benchmarks.chaos.report import as_tables
    from benchmarks.chaos.run import run

    interrupt_on_signals()  # at Ctrl-C, all that was started is still stopped
    settings = load_settings()
    # What breaks is meant to: warnings about it would hide what is not.
    set_up_logs(settings.model_copy(update={"log_level": "error"}))
    folder = logs and logs.resolve()
    options = Options(seconds, seed, faults, rate, beside, upstash=upstash, logs=folder)
    with problems.status(f"breaking things for {seconds:g} s, then waiting until all is handled …"):
        report = run(settings, options)
    if as_json:
        write_json(to_json(report))
    else:
        console.print(*as_tables(report), sep="\n")
    if not report.is_good:
        raise typer.Exit(1)
