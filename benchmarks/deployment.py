"""The product deployed for one measurement: a migrated database and the processes on it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
import redis
from sqlalchemy import Row, make_url, text
from sqlalchemy.exc import ProgrammingError

from benchmarks.errors import BenchFailed
from benchmarks.processes import Processes
from benchmarks.servers import BenchServers
from handlers import load_handlers
from runtime.assembly import Assembly
from runtime.environment import environment
from runtime.migrate import migrate
from runtime.sandbox_settings import sandbox_settings
from runtime.supervisor import insights_command
from sandbox.client import SandboxClient
from services.redis.doorbell import RELAY, channel_of, queue_bell
from settings import load_settings

DATABASE_NUMBERS = count(1)
NO_PROVIDERS: dict[str, None] = dict.fromkeys(
    (
        "loops_api_key",
        "posthog_api_key",
        "posthog_secret_key",
        "sentry_dsn",
        "upstash_redis_rest_url",
    )
)
# All that a measurement leaves in Redis: ours, dramatiq's and Celery's (`_kombu`, `unacked`).
KEY_PATTERNS = (
    "insights:*",
    "dramatiq:*",
    "training:bench-*",
    "bench*",
    "_kombu*",
    "unacked*",
    "pace:loops",
)

# What the bench's handlers count; room in each page keeps updates of one row off the index. And
# what rivals note as done, or owe.
TABLES = text("""
    CREATE SCHEMA bench;
    CREATE TABLE bench.activity (
        handler text, user_id uuid, count integer, PRIMARY KEY (handler, user_id)
    ) WITH (fillfactor = 50);
    CREATE TABLE bench.done (handler text, event_id uuid, PRIMARY KEY (handler, event_id));
    CREATE TABLE bench.owed (handler text, event_id uuid, PRIMARY KEY (handler, event_id));
""")

# On the plan without limits, so that counting usage never publishes events about them.
INSERT_USERS = text("""
    INSERT INTO public.profiles (id, plan)
    SELECT gen_random_uuid(), 'enterprise' FROM generate_series(1, :count) RETURNING id
""")


@dataclass
class Deployment:
    """A migrated database, its users, and running processes; `assembly` is connected to it."""

    assembly: Assembly
    servers: BenchServers
    processes: Processes
    users: list[UUID]

    def query_one(self, query: str, **parameters: object) -> Row[Any]:
        """The one row that a query returns."""
        with self.assembly.engine.connect() as connection:
            return connection.execute(text(query), parameters).one()

    def analyze_and_checkpoint(self) -> None:
        """Bring statistics up to date and flush, so that neither happens while measuring."""
        engine = self.assembly.engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("ANALYZE insights.events, insights.deliveries, profiles"))
            # A hosted server does not let us.
            with suppress(ProgrammingError):
                connection.execute(text("CHECKPOINT"))


@contextmanager
def deploy(
    servers: BenchServers,
    handlers: Iterable[str] = (),
    users: int = 1,
    *,
    sandbox: SandboxClient | None = None,
    loops_rate: float | None = None,
) -> Iterator[Deployment]:
    """A database in which these handlers follow events; dropped at the end of the block.

    The doubles of `sandbox` are the providers; without it there are none.
    Raises BenchFailed where databases may not be made.
    """
    name = f"insights_bench_{servers.id}_{next(DATABASE_NUMBERS)}"
    administer(servers, f"CREATE DATABASE {name}")
    url = make_url(servers.database_url).set(database=name)
    assembly = assemble(servers, url.render_as_string(hide_password=False), sandbox)
    if loops_rate is not None:
        assembly.settings = assembly.settings.model_copy(update={"loops_rate": loops_rate})
    try:
        chosen = {handler: assembly.handlers[handler] for handler in handlers}
        migrate(assembly.engine, assembly.catalogue, chosen, assembly.providers)
        with assembly.engine.begin() as connection:
            connection.execute(TABLES)
            ids = list(connection.scalars(INSERT_USERS, {"count": users}))
        with Processes(servers.folder, variables(assembly)) as processes:
            yield Deployment(assembly, servers, processes, ids)
    finally:
        delete_keys(assembly.redis)
        assembly.close()
        administer(servers, f"DROP DATABASE {name} WITH (FORCE)")


def administer(servers: BenchServers, statement: str) -> None:
    """Run one statement on the server, outside of a transaction. Raises BenchFailed."""
    try:
        with psycopg.connect(servers.database_url, autocommit=True) as connection:
            connection.execute(statement.encode())
    except psycopg.Error as error:
        raise BenchFailed(
            "The bench needs a PostgreSQL where it may make databases of its own: "
            f"{str(error).strip()}. Leave DATABASE_URL unset to measure on a private server."
        ) from error


def assemble(servers: BenchServers, database_url: str, sandbox: SandboxClient | None) -> Assembly:
    """The parts of the product on a measurement's own database."""
    settings = load_settings(
        _env_file=None,
        database_url=database_url,
        redis_url=servers.redis_url,
        broker_url=servers.redis_url,
        insights_home=servers.folder,
        extra_packages=("benchmarks.handlers",),
        **NO_PROVIDERS,
    )
    if sandbox is not None:
        settings = sandbox_settings(settings, sandbox.url, upstash=False)
        # Reporting to Sentry would be measured along.
        settings = settings.model_copy(update={"sentry_dsn": None})
    return Assembly(settings)


def variables(assembly: Assembly) -> dict[str, str]:
    """The environment variables of a measurement's processes."""
    found = environment(assembly.settings) | {"LOG_LEVEL": "warning", "LOG_FORMAT": "json"}
    return {name: value for name, value in found.items() if value}


def delete_keys(client: "redis.Redis") -> None:
    """Delete what a measurement left in Redis, and nothing else."""
    for pattern in KEY_PATTERNS:
        for key in client.scan_iter(pattern, count=1000):
            client.delete(key)


def product_handlers() -> list[str]:
    """The names of the product's handlers, without those that only the bench has."""
    return list(load_handlers())


def start_relay_and_workers(
    deployment: Deployment, handlers: Iterable[str], *, workers: int
) -> None:
    """Start one relay and some workers; return when all of them listen. Raises BenchFailed."""
    names = list(handlers)
    processes = deployment.processes
    processes.start("relay", *insights_command("relay"))
    for number in range(workers):
        command = insights_command("worker", "--handlers", ",".join(names))
        processes.start(f"worker-{number + 1}", *command)
    channels = [channel_of(RELAY), channel_of(queue_bell(names[0]))]

    def all_listen() -> bool:
        listening = deployment.assembly.redis.pubsub_numsub(*channels)
        return [count for _, count in listening] == [1, workers]

    processes.wait_for("relay and workers to listen", all_listen)
