"""Real servers for every test: those that TEST_*_URL name, or the product's own."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import hypothesis
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from events import Event, publish, uuid7
from sandbox.serve import Server, running_sandbox
from settings import Settings
from tests.doubles import Doubles
from tests.engine import Engine
from workers.assembly import Assembly
from workers.doubles import templates
from workers.migrate import migrate
from workers.servers import own_postgres, own_valkey

if TYPE_CHECKING:
    import redis

hypothesis.settings.register_profile("suite", derandomize=True, deadline=None)
hypothesis.settings.load_profile(os.getenv("HYPOTHESIS_PROFILE", "suite"))

HOME = Path(".insights/tests").resolve()
EMPTY = text("""
    TRUNCATE insights.events, insights.deliveries, insights.usage_ledger, insights.usage_marks,
        insights.profile_news, insights.emails, insights.activity, public.profiles,
        public.usage_limits
""")
AWAKE = text("UPDATE insights.handlers SET paused = false, failures_in_row = 0, resume_at = NULL")


@dataclass(frozen=True)
class Servers:
    """Where the servers of this test run are."""

    database_url: str
    redis_url: str


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Servers that were given, or private ones that end with the test run."""
    database_url, redis_url = os.getenv("TEST_DATABASE_URL"), os.getenv("TEST_REDIS_URL")
    if database_url and redis_url:
        yield Servers(database_url, redis_url)
        return
    HOME.mkdir(parents=True, exist_ok=True)
    postgres, valkey = own_postgres(HOME), own_valkey(HOME)
    try:
        postgres.start()
        valkey.start()
        yield Servers(postgres.url, valkey.url)
    finally:
        valkey.stop()
        postgres.stop()


@pytest.fixture(scope="session")
def database_url(servers: Servers) -> Iterator[str]:
    """A new database of this test run."""
    with new_database(servers.database_url) as url:
        yield url


@pytest.fixture(scope="session")
def shared(database_url: str, servers: Servers) -> Iterator[Assembly]:
    """The parts of the product on a migrated database."""
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(servers.redis_url),
        insights_home=HOME,
        insights_api_keys=(SecretStr("a-key-for-the-tests"),),
    )
    assembly = Assembly(settings)
    migrate(assembly.engine, assembly.catalogue, assembly.handlers)
    yield assembly
    assembly.close()


@pytest.fixture
def assembly(shared: Assembly) -> Assembly:
    """The parts of the product, with nothing published and nothing in Redis."""
    with shared.engine.begin() as connection:
        connection.execute(EMPTY)
        connection.execute(AWAKE)
    shared.redis.flushdb()
    return shared


@pytest.fixture
def redis_client(assembly: Assembly) -> "redis.Redis":
    """An empty Redis."""
    return assembly.redis


@pytest.fixture
def engine(assembly: Assembly) -> Iterator[Engine]:
    """Relay and runner in this process, a step at a time."""
    engine = Engine(assembly)
    yield engine
    if engine.handlers != assembly.handlers:
        engine.follow(*assembly.handlers.values())


@pytest.fixture(scope="session")
def sandbox(servers: Servers) -> Iterator[Server]:
    """Doubles of all providers, in a thread of this process."""
    with running_sandbox(templates=templates(), redis_url=servers.redis_url) as server:
        yield server


@pytest.fixture
def doubles(sandbox: Server) -> Doubles:
    """The doubles, which remember nothing."""
    sandbox.world.forget()
    return Doubles(sandbox)


@pytest.fixture
def provided(assembly: Assembly, doubles: Doubles) -> Iterator[Assembly]:
    """The parts of the product, with the doubles for providers."""
    made = Assembly(doubles.settings(assembly.settings))
    yield made
    made.close()


@pytest.fixture
def outfitted(provided: Assembly) -> Iterator[Engine]:
    """Relay and runner in this process, with the doubles for providers."""
    engine = Engine(provided)
    yield engine
    engine.follow(*provided.handlers.values())


@pytest.fixture
def user_id(assembly: Assembly) -> UUID:
    """A user on the free plan."""
    return sign_up(assembly)


def sign_up(assembly: Assembly, plan: str = "free") -> UUID:
    """A user whose profile exists."""
    id_ = uuid7()
    with assembly.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO public.profiles (id, email, name, plan) VALUES (:id, :e, 'Ada', :p)"),
            {"id": id_, "e": f"{id_.hex}@example.com", "p": plan},
        )
    return id_


def publish_now(assembly: Assembly, *events: Event) -> set[UUID]:
    """Publish in a transaction of its own."""
    with assembly.sessions.begin() as session:
        return publish(session, *events)


class new_database:  # noqa: N801 (used like a function)
    """A database of its own, dropped at the end of the `with` block."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.name = f"insights_test_{uuid7().hex}"

    def __enter__(self) -> str:
        self.run(f"CREATE DATABASE {self.name}")
        before, _, query = self.url.partition("?")
        root = before.rsplit("/", 1)[0]
        return f"{root}/{self.name}" + (f"?{query}" if query else "")

    def __exit__(self, *_: object) -> None:
        self.run(f"DROP DATABASE {self.name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Run one statement outside of a transaction."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())
