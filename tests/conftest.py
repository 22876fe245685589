"""Real servers for every test: those that TEST_*_URL name, or embedded ones."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import hypothesis
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from models.providers import switch_on_undecided
from runtime.assembly import Assembly
from runtime.embedded.postgres import private_postgres
from runtime.embedded.valkey import private_valkey
from runtime.migrate import migrate
from runtime.sandbox_settings import sandbox_templates
from sandbox.server import running_sandbox
from settings import Settings
from tests.doubles import Doubles
from tests.factories import HOME, Servers, new_database, sign_up
from tests.pipeline import Pipeline

if TYPE_CHECKING:
    import redis

hypothesis.settings.register_profile("suite", derandomize=True, deadline=None)
hypothesis.settings.load_profile(os.getenv("HYPOTHESIS_PROFILE", "suite"))

EMPTY_TABLES = text("""
    TRUNCATE insights.events, insights.deliveries, insights.usage_ledger, insights.usage_marks,
        insights.usage_datasets,
        insights.profile_news, insights.emails, insights.activity, insights.owners,
        insights.trainings, insights.batches, insights.processes, public.profiles,
        public.usage_limits
""")
RESET_HANDLERS = text("""
    UPDATE insights.handlers SET paused = false, failures_in_row = 0, resume_at = NULL
""")
RESET_PROVIDERS = text("""
    UPDATE insights.providers
    SET is_on = NULL, off_during = tstzmultirange(tstzrange(now(), NULL))
""")


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Servers that were given, or embedded ones that end with the test run."""
    database_url, redis_url = os.getenv("TEST_DATABASE_URL"), os.getenv("TEST_REDIS_URL")
    if database_url and redis_url:
        yield Servers(database_url, redis_url)
        return
    HOME.mkdir(parents=True, exist_ok=True)
    postgres, valkey = private_postgres(HOME), private_valkey(HOME)
    try:
        postgres.start()
        valkey.start()
        yield Servers(postgres.url, valkey.url)
    finally:
        valkey.stop()
        postgres.stop()


@pytest.fixture(scope="session")
def database_url(servers: Servers) -> Iterator[str]:
    """A new database for this test run."""
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
        connection.execute(EMPTY_TABLES)
        connection.execute(RESET_HANDLERS)
        connection.execute(RESET_PROVIDERS)
    shared.redis.flushdb()
    return shared


@pytest.fixture
def redis_client(assembly: Assembly) -> "redis.Redis":
    """An empty Redis."""
    return assembly.redis


@pytest.fixture
def pipeline(assembly: Assembly) -> Iterator[Pipeline]:
    """Relay and runner in this process; afterwards the product's own handlers follow events."""
    pipeline = Pipeline(assembly)
    yield pipeline
    if pipeline.handlers != assembly.handlers:
        pipeline.follow(*assembly.handlers.values())


@pytest.fixture(scope="session")
def sandbox(servers: Servers) -> Iterator[Doubles]:
    """The doubles of all providers, in a thread of this process."""
    with running_sandbox(templates=sandbox_templates(), redis_url=servers.redis_url) as server:
        yield Doubles(server)


@pytest.fixture
def doubles(sandbox: Doubles) -> Doubles:
    """The doubles, without anything that earlier tests sent them."""
    sandbox.reset()
    return sandbox


@pytest.fixture
def assembly_with_doubles(assembly: Assembly, doubles: Doubles) -> Iterator[Assembly]:
    """The parts of the product, with the doubles for providers, which are on."""
    made = Assembly(doubles.settings(assembly.settings))
    with made.engine.begin() as connection:
        switch_on_undecided(connection, made.providers)
    yield made
    made.close()


@pytest.fixture
def pipeline_with_doubles(assembly_with_doubles: Assembly) -> Iterator[Pipeline]:
    """Relay and runner in this process, with the doubles for providers."""
    pipeline = Pipeline(assembly_with_doubles)
    yield pipeline
    pipeline.follow(*assembly_with_doubles.handlers.values())


@pytest.fixture
def user_id(assembly: Assembly) -> UUID:
    """A user on the free plan."""
    return sign_up(assembly)
