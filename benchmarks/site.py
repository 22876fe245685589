"""One measurement's own database, and the processes that work on it."""

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
from benchmarks.ground import Ground
from benchmarks.processes import Processes
from runtime.assembly import Assembly
from runtime.doubles import settings_for
from runtime.embedded.discovery import environment as settings_of
from runtime.migrate import migrate
from settings import load_settings

NUMBERS = count(1)
NO_PROVIDERS: dict[str, None] = dict.fromkeys(
    (
        "loops_api_key",
        "posthog_api_key",
        "posthog_secret_key",
        "sentry_dsn",
        "upstash_redis_rest_url",
    )
)
KEYS = (
    "insights:*",
    "dramatiq:*",
    "training:bench-*",
    "bench*",
    "_kombu*",
    "unacked*",
    "pace:loops",
)

TABLES = text("""
    CREATE SCHEMA bench;
    CREATE TABLE bench.activity (
        handler text, user_id uuid, count integer, PRIMARY KEY (handler, user_id)
    ) WITH (fillfactor = 50);
    CREATE TABLE bench.done (
        handler text, event_id uuid, done_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (handler, event_id)
    );
""")

USERS = text("""
    INSERT INTO public.profiles (id, plan)
    SELECT gen_random_uuid(), 'enterprise' FROM generate_series(1, :count) RETURNING id
""")


@dataclass
class Site:
    """A migrated database, its users (whose plan limits nothing), and running processes."""

    assembly: Assembly
    ground: Ground
    processes: Processes
    users: list[UUID]

    def ask(self, query: str, **given: object) -> Row[Any]:
        """The one row that a query returns."""
        with self.assembly.engine.connect() as connection:
            return connection.execute(text(query), given).one()

    def settle(self) -> None:
        """Let no checkpoint and no missing statistics of the preparation fall into the measure."""
        engine = self.assembly.engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("ANALYZE insights.events, insights.deliveries, profiles"))
            with suppress(ProgrammingError):  # a hosted server keeps CHECKPOINT to itself
                connection.execute(text("CHECKPOINT"))


@contextmanager
def site(
    ground: Ground,
    followers: Iterable[str] = (),
    users: int = 1,
    *,
    sandbox: str | None = None,
) -> Iterator[Site]:
    """A database in which these handlers follow events; dropped at the end of the block.

    `sandbox` is the address of the providers' doubles; without it there are no providers.
    """
    name = f"insights_bench_{ground.id}_{next(NUMBERS)}"
    administer(ground, f"CREATE DATABASE {name}")
    url = make_url(ground.database_url).set(database=name)
    assembly = assemble(ground, url.render_as_string(hide_password=False), sandbox)
    try:
        handlers = {follower: assembly.handlers[follower] for follower in followers}
        migrate(assembly.engine, assembly.catalogue, handlers)
        with assembly.engine.begin() as connection:
            connection.execute(TABLES)
            ids = list(connection.scalars(USERS, {"count": users}))
        with Processes(ground.folder, environment(assembly)) as processes:
            yield Site(assembly, ground, processes, ids)
    finally:
        forget_keys(assembly.redis)
        assembly.close()
        administer(ground, f"DROP DATABASE {name} WITH (FORCE)")


def administer(ground: Ground, statement: str) -> None:
    """Run one statement on the server, outside of a transaction. Raises BenchFailed."""
    try:
        with psycopg.connect(ground.database_url, autocommit=True) as connection:
            connection.execute(statement.encode())
    except psycopg.Error as error:
        raise BenchFailed(
            "The bench needs a PostgreSQL where it may make databases of its own: "
            f"{str(error).strip()}. Leave DATABASE_URL unset to measure on a private server."
        ) from error


def assemble(ground: Ground, database_url: str, sandbox: str | None) -> Assembly:
    """The parts of the product on a measurement's own database."""
    settings = load_settings(
        _env_file=None,
        database_url=database_url,
        redis_url=ground.redis_url,
        broker_url=ground.redis_url,
        insights_home=ground.folder,
        extra_packages=("benchmarks.handlers",),
        **NO_PROVIDERS,
    )
    if sandbox is not None:
        settings = settings_for(settings, sandbox, upstash=False)
        settings = settings.model_copy(update={"sentry_dsn": None})
    return Assembly(settings)


def environment(assembly: Assembly) -> dict[str, str]:
    """What the processes of a measurement are told."""
    told = settings_of(assembly.settings) | {"LOG_LEVEL": "warning", "LOG_FORMAT": "json"}
    return {name: value for name, value in told.items() if value}


def forget_keys(client: "redis.Redis") -> None:
    """Delete what a measurement left in Redis, and nothing else."""
    for pattern in KEYS:
        for key in client.scan_iter(pattern, count=1000):
            client.delete(key)
