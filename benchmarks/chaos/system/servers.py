"""Private servers of one run, which it may crash, and a migrated database on them."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from benchmarks.chaos.system.release import PACKAGES
from benchmarks.sandbox_process import sandbox_process
from benchmarks.servers import started
from runtime.assembly import Assembly
from runtime.embedded.paths import socket_folder
from runtime.embedded.postgres import ROOT_HOME, private_postgres
from runtime.embedded.server import EmbeddedServer
from runtime.embedded.valkey import private_valkey
from runtime.migrate import migrate
from runtime.sandbox_settings import sandbox_settings
from sandbox.client import SandboxClient
from settings import Settings, load_settings

# Without a key or unique index, so that a row that is inserted twice is there twice.
CREATE_TABLE = (
    "CREATE SCHEMA chaos",
    "CREATE TABLE chaos.rows (event_id uuid NOT NULL)",
    "CREATE TABLE chaos.notes (event_id uuid NOT NULL)",
    "CREATE TABLE chaos.next_notes (event_id uuid NOT NULL)",
    # One row that each batch of `chaos_rows` adds to, and so locks.
    "CREATE TABLE chaos.tally (rows bigint NOT NULL)",
    "INSERT INTO chaos.tally VALUES (0)",
)
# Requests a second; Loops' real 10 would make a run wait for the emails of its many users.
LOOPS_LIMIT, LOOPS_RATE = 120, 90


@dataclass(frozen=True)
class PrivateServers:
    """The servers of a run, a folder that is removed with them, and the product's parts there."""

    folder: Path
    postgres: EmbeddedServer
    valkey: EmbeddedServer
    sandbox: SandboxClient
    assembly: Assembly

    @property
    def over_rest(self) -> bool:
        """Whether the services reach their Redis through Upstash's REST API."""
        return self.assembly.settings.upstash is not None


@contextmanager
def private_servers(
    settings: Settings, logs: Path | None = None, *, upstash: bool = False
) -> Iterator[PrivateServers]:
    """Servers that last as long as the `with` block; all logs are copied to the folder `logs`.

    With `upstash`, the services reach their Redis through the double of Upstash's REST API.
    """
    folder = settings.insights_home.resolve() / f"chaos-{os.getpid()}"
    with ExitStack() as stack:
        stack.callback(remove, folder)
        folder.mkdir(parents=True)
        postgres = stack.enter_context(disposable(private_postgres, folder, logs))
        valkey = stack.enter_context(disposable(private_valkey, folder, logs))
        if logs is not None:
            stack.callback(copy_logs, folder, logs)
        sandbox = stack.enter_context(sandbox_process(folder, valkey.url))
        sandbox.set_loops_rate_limit(LOOPS_LIMIT)
        assembly = assemble(folder, postgres, valkey, sandbox, upstash=upstash)
        stack.callback(assembly.close)
        yield PrivateServers(folder, postgres, valkey, sandbox, assembly)


@contextmanager
def disposable(
    make: Callable[[Path], EmbeddedServer], folder: Path, logs: Path | None
) -> Iterator[EmbeddedServer]:
    """A private server, removed with its data and its socket."""
    server = make(folder)
    try:
        with started(server):
            yield server
    finally:
        if logs is not None:
            logs.mkdir(parents=True, exist_ok=True)
            shutil.copy(server.folder / "log", logs / f"{server.name}.log")
        remove(socket_folder(server.folder))
        remove(server.folder)
        # Where root's PostgreSQL lies in a folder of its own, that folder goes too.
        if ROOT_HOME in server.folder.parents:
            with suppress(OSError):
                server.folder.parent.rmdir()


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def copy_logs(folder: Path, logs: Path) -> None:
    """Copy what the processes of the run logged."""
    logs.mkdir(parents=True, exist_ok=True)
    for log in folder.glob("*.log"):
        shutil.copy(log, logs)


def assemble(
    folder: Path,
    postgres: EmbeddedServer,
    valkey: EmbeddedServer,
    sandbox: SandboxClient,
    *,
    upstash: bool,
) -> Assembly:
    """The product's parts, with the run's own settings alone and doubles for providers."""
    settings = load_settings(
        _env_file=None,
        database_url=postgres.url,
        redis_url=valkey.url,
        broker_url=valkey.url,
        insights_home=folder,
        extra_packages=PACKAGES,
        log_level="warning",
        loops_rate=LOOPS_RATE,
    )
    provided = sandbox_settings(settings, sandbox.url, upstash=upstash)
    # This process only breaks things: the product's processes send to Sentry, not this one.
    return Assembly(provided.model_copy(update={"sentry_dsn": None}))


def prepare_database(assembly: Assembly) -> None:
    """Migrate, and make the tables of the chaos handlers."""
    migrate(assembly.engine, assembly.catalogue, assembly.handlers, assembly.providers)
    with assembly.engine.begin() as connection:
        for statement in CREATE_TABLE:
            connection.execute(text(statement))
