"""Commands that run a part of the product until it is stopped."""

import os
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from cli.app import app, assemble
from runtime import connection_budget
from runtime.environment import environment
from runtime.logs import set_up_logs
from runtime.migrate import migrate as migrate_database
from runtime.providers import switch_on_in_background, with_key
from runtime.signals import stop_on_signals
from runtime.stack import running_stack
from runtime.supervisor import Supervisor, insights_command
from services.redis.doorbell import RELAY, Listener
from settings import Settings, load_settings
from workers.broker.connect import make_broker
from workers.exporter import serve_metrics, shared_folder
from workers.garbage import freeze_startup_objects
from workers.metrics import Metrics
from workers.relay import Relay
from workers.scheduler import Scheduler
from workers.worker import choose, run_worker, threads_of


@app.command()
def migrate() -> None:
    """Bring the database up to date with this code, and say what of other code is left alone.

    It adds what this code has and removes nothing: an older or newer release may
    run beside. A provider of which the key is set is switched on, unless
    `insights providers off` switched it off.
    """
    with closing(assemble()) as assembly:
        notices = migrate_database(
            assembly.engine, assembly.catalogue, assembly.handlers, assembly.providers
        )
    for notice in notices:
        typer.echo(notice)


@app.command()
def up(
    port: Annotated[
        int | None, typer.Option(help="Where the HTTP API listens; 0 takes any free port.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="How many worker processes.")] = 2,
) -> None:
    """Run everything: web, relay, scheduler, workers, and private servers where none are set."""
    settings = load_settings(**({} if port is None else {"port": port}))
    set_up_logs(settings)
    stopped = stop_on_signals()
    # On stderr: what a program waits for on stdout is the line with the address.
    say = partial(typer.echo, err=True)
    with running_stack(settings, workers=workers, say=say) as stack:
        typer.echo(f"ready {stack.url}")
        if not settings.insights_api_keys:
            key = stack.assembly.settings.insights_api_keys[0].get_secret_value()
            typer.echo(f"key {key} (for this run; set INSIGHTS_API_KEYS to choose your own)")
        stopped.wait()


@app.command()
def web() -> None:
    """Serve the HTTP API: events in, live progress out. Run any number."""
    from runtime.web import make_app
    from web.serve import serve

    settings = assemble().settings
    serve(make_app(settings), settings.host, settings.port, settings.keep_alive_seconds)


@app.command()
def relay() -> None:
    """Look what is due, and ring for the workers. Run any number."""
    assembly = assemble()
    assembly.connections = connection_budget.RELAY
    # First, so that a SIGTERM during the start ends the process in order, too.
    stopped = assembly.stopped = stop_on_signals()
    sentry = assembly.sentry  # before anything connects
    serve_metrics(assembly.settings)
    listener = Listener(assembly.settings.redis, [RELAY])
    listener.start()
    broker = make_broker(assembly.settings.broker)
    running = Relay(assembly.engine, broker, assembly.handlers, Metrics())
    freeze_startup_objects()
    running.run(listener.bells[RELAY], stopped)
    sentry.flush()


@app.command()
def worker(
    handlers: Annotated[str | None, typer.Option(help="Only these, separated by commas.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="How many processes.")] = 1,
    threads: Annotated[
        int | None, typer.Option(min=1, help="At most so many batches at once, in all.")
    ] = None,
) -> None:
    """Run the handlers of due deliveries. Run any number."""
    assembly = assemble()
    chosen = with_key(choose(assembly.handlers, handlers, threads), assembly.providers)
    if processes > 1:
        options = ["--handlers", handlers] if handlers else []
        options += ["--threads", str(threads)] if threads else []
        supervise_workers(assembly.settings, processes, options)
        return
    serve_metrics(assembly.settings)
    size = threads_of(chosen, threads)
    assembly.connections = connection_budget.pool_of_worker(size)
    stopped = assembly.stopped = stop_on_signals()
    switch_on_in_background(assembly, stopped)
    run_worker(
        chosen,
        threads=size,
        sessions=assembly.sessions,
        engine=assembly.engine,
        notes=assembly.notes,
        database_url=assembly.settings.postgres_url,
        services=assembly.services,
        sentry=assembly.sentry,
        broker_url=assembly.settings.broker,
        stopped=stopped,
    )


def supervise_workers(settings: Settings, processes: int, options: Sequence[str]) -> None:
    """Run so many `insights worker` side by side until SIGTERM or SIGINT."""
    supervisor = Supervisor()
    command = insights_command("worker", *options)
    with TemporaryDirectory(prefix="insights-metrics-") as folder:
        # This process serves the numbers of all: two cannot listen on one port.
        os.environ |= shared_folder(Path(folder))
        variables = os.environ | environment(settings) | {"METRICS_PORT": ""}
        for number in range(processes):
            supervisor.add(f"worker-{number + 1}", command, variables)
        serve_metrics(settings)
        supervisor.run(stop_on_signals())


@app.command()
def scheduler() -> None:
    """Publish the events of scheduled jobs when they are due. Run any number."""
    assembly = assemble()
    assembly.connections = connection_budget.SCHEDULER
    stopped = assembly.stopped = stop_on_signals()
    serve_metrics(assembly.settings)
    Scheduler(assembly.settings, assembly.publish, assembly.database_time).run(stopped)
    assembly.sentry.flush()
