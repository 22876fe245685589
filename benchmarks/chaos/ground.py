"""Private servers of one run, which it may kill, and a migrated database; nothing stays behind."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from benchmarks import doubles
from benchmarks.chaos.people import User
from runtime.assembly import Assembly
from runtime.doubles import settings_for
from runtime.embedded.servers import (
    ROOT_HOME,
    Server,
    private_postgres,
    private_valkey,
    socket_folder,
)
from runtime.migrate import migrate
from settings import Settings, load_settings

HANDLERS = "benchmarks.chaos.handlers"
TABLE = (
    "CREATE SCHEMA chaos",
    "CREATE TABLE chaos.rows (event_id uuid NOT NULL)",
)
LOOPS_ALLOWS, LOOPS_RATE = 120, 90
PAYING = text("INSERT INTO public.profiles (id, plan) VALUES (:id, :plan)")


@dataclass(frozen=True)
class Ground:
    """The servers, a folder that is removed with them, and the parts of the product there."""

    folder: Path
    postgres: Server
    valkey: Server
    sandbox: str
    assembly: Assembly

    @property
    def over_rest(self) -> bool:
        """Whether the services reach their Redis through Upstash's REST door."""
        return None not in self.assembly.settings.upstash


@contextmanager
def ground(
    settings: Settings, logs: Path | None = None, *, upstash: bool = False
) -> Iterator[Ground]:
    """Servers that last as long as the `with` block; `logs` is where to keep what was logged.

    With `upstash`, the services reach their Redis through the double of Upstash's REST door.
    """
    folder = settings.insights_home.resolve() / f"chaos-{os.getpid()}"
    with ExitStack() as stack:
        stack.callback(remove, folder)
        folder.mkdir(parents=True)
        postgres = stack.enter_context(running(private_postgres, folder, logs))
        valkey = stack.enter_context(running(private_valkey, folder, logs))
        if logs is not None:
            stack.callback(keep, folder, logs)
        sandbox = stack.enter_context(doubles.sandbox(folder, valkey.url))
        doubles.allow(sandbox, per_second=LOOPS_ALLOWS)
        assembly = assemble(folder, postgres, valkey, sandbox, upstash=upstash)
        stack.callback(assembly.close)
        yield Ground(folder, postgres, valkey, sandbox, assembly)


@contextmanager
def running(make: Callable[[Path], Server], folder: Path, logs: Path | None) -> Iterator[Server]:
    """A private server, removed with its data."""
    server = make(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        if logs is not None:
            logs.mkdir(parents=True, exist_ok=True)
            shutil.copy(server.folder / "log", logs / f"{server.name}.log")
        remove(socket_folder(server.folder))
        remove(server.folder)
        if ROOT_HOME in server.folder.parents:
            with suppress(OSError):
                server.folder.parent.rmdir()


def remove(folder: Path) -> None:
    """Remove a folder and all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)


def keep(folder: Path, logs: Path) -> None:
    """Copy what our processes logged."""
    logs.mkdir(parents=True, exist_ok=True)
    for log in folder.glob("*.log"):
        shutil.copy(log, logs)


def assemble(
    folder: Path, postgres: Server, valkey: Server, sandbox: str, *, upstash: bool
) -> Assembly:
    """The parts of the product, with nobody's settings but our own, and doubles for providers."""
    settings = load_settings(
        _env_file=None,
        database_url=postgres.url,
        redis_url=valkey.url,
        broker_url=valkey.url,
        insights_home=folder,
        extra_packages=(HANDLERS,),
        log_level="warning",
        loops_rate=LOOPS_RATE,
    )
    provided = settings_for(settings, sandbox, upstash=upstash)
    # This process only breaks things: Sentry hears of what the others do from them.
    return Assembly(provided.model_copy(update={"sentry_dsn": None}))


def prepare(assembly: Assembly) -> None:
    """Migrate, and make the table without a key."""
    migrate(assembly.engine, assembly.catalogue, assembly.handlers)
    with assembly.engine.begin() as connection:
        for statement in TABLE:
            connection.execute(text(statement))


def add_customers(assembly: Assembly, people: Iterable[User]) -> None:
    """Make the profiles of those who pay for a plan; the others come by signing up."""
    with assembly.engine.begin() as connection:
        for person in people:
            if person.plan != "free":
                connection.execute(PAYING, {"id": person.id, "plan": person.plan})
