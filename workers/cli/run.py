"""Commands that run a part of the product until it is stopped."""

import os
from typing import Annotated

import typer

from services.doorbell import RELAY, Listener
from workers.broker import make_broker
from workers.cli.app import app, assemble
from workers.metrics import Metrics
from workers.migrate import migrate as migrate_database
from workers.relay import Relay
from workers.scheduler import Scheduler
from workers.supervisor import Supervisor, insights
from workers.worker import choose, run_worker, stop_event


@app.command()
def migrate() -> None:
    """Bring the database up to date with this code."""
    assembly = assemble()
    migrate_database(assembly.engine, assembly.catalogue, assembly.handlers)


@app.command()
def relay() -> None:
    """Lease due deliveries and send them to the workers' queues. Run any number."""
    assembly = assemble()
    stopped = stop_event()
    listener = Listener(assembly.settings.redis, [RELAY])
    listener.start()
    broker = make_broker(assembly.settings.broker)
    sender = Relay(assembly.engine, broker, assembly.handlers, Metrics())
    sender.run(listener.bells[RELAY], stopped)


@app.command()
def worker(
    handlers: Annotated[str | None, typer.Option(help="Only these, separated by commas.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="How many processes.")] = 1,
    threads: Annotated[
        int | None, typer.Option(min=1, help="At most so many batches of a handler at once.")
    ] = None,
) -> None:
    """Handle what is owed. Run any number."""
    assembly = assemble()
    chosen = choose(assembly.handlers, handlers, threads)
    if processes == 1:
        run_worker(assembly, chosen)
    supervisor = Supervisor()
    options = ["--handlers", handlers] if handlers else []
    options += ["--threads", str(threads)] if threads else []
    for number in range(processes):
        supervisor.add(f"worker-{number + 1}", insights("worker", *options), os.environ)
    supervisor.run(stop_event())


@app.command()
def scheduler() -> None:
    """Publish the events of scheduled jobs when they are due. Run any number."""
    assembly = assemble()
    Scheduler(assembly.settings, assembly.publish).run(stop_event())
