"""The command that breaks everything under a known load, then checks every effect."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import app, console, problems
from cli.options import Json
from cli.output import write_json
from runtime.logs import set_up_logs
from runtime.signals import interrupt_on_signals
from settings import load_settings


@app.command()
def chaos(
    seconds: Annotated[float, typer.Option(min=5, help="How long things break.")] = 60,
    seed: Annotated[int, typer.Option(help="What is drawn: the load, and what breaks when.")] = 1,
    upstash: Annotated[
        bool,
        typer.Option("--upstash", help="Redis services over the double of Upstash's REST API."),
    ] = False,
    logs: Annotated[
        Path | None, typer.Option(help="Keep what all processes logged in this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Kill, stop and flush everything under load, then count every effect of every event.

    It runs relays, workers and a scheduler on private servers of its own. Exits
    with 1 if anything was lost, done twice, given up, or done outside without its
    idempotency key.
    """
    from benchmarks.chaos.report import as_json as to_json
    from benchmarks.chaos.report import as_tables
    from benchmarks.chaos.run import run

    interrupt_on_signals()  # at Ctrl-C, all that was started is still stopped
    settings = load_settings()
    # What breaks is meant to: warnings about it would hide what is not.
    set_up_logs(settings.model_copy(update={"log_level": "error"}))
    with problems.status(f"breaking things for {seconds:g} s, then waiting until all is handled …"):
        report = run(settings, seconds, seed, logs and logs.resolve(), upstash=upstash)
    if as_json:
        write_json(to_json(report))
    else:
        console.print(*as_tables(report), sep="\n")
    if not report.is_good:
        raise typer.Exit(1)
