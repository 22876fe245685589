"""Supabase's roles, and a migrated database that plays Supabase."""

from collections.abc import Iterator

import psycopg
import pytest

from runtime.migrate import migrate
from tests.factories import Servers
from tests.models.process import process
from tests.models.supabase import PEOPLE, PROFILES, roles, supabase


@pytest.fixture(scope="session", autouse=True)
def supabase_roles(servers: Servers) -> Iterator[None]:
    """Supabase's roles exist, as they would before any migration runs there."""
    with roles(servers.database_url):
        yield


@pytest.fixture(scope="module")
def platform_url(servers: Servers, supabase_roles: None) -> Iterator[str]:
    """A database with Supabase's tables and people, and ours."""
    with supabase(servers.database_url, PROFILES, PEOPLE) as url:
        with process(url, servers) as assembly:
            migrate(assembly.engine, assembly.catalogue, assembly.handlers)
        yield url


@pytest.fixture
def platform(platform_url: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A transaction on it that is undone at the end of the test."""
    with psycopg.connect(platform_url) as connection:
        yield connection
        connection.rollback()
