"""Connections to the database of the test run, and a database as Supabase sets it up."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection

from runtime.assembly import Assembly
from runtime.migrate import migrate
from tests.factories import Servers, libpq_url
from tests.models.assemblies import assembly_on
from tests.models.supabase_platform import PROFILES, USERS, created_roles, supabase_database

SqlConnection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def connection(assembly: Assembly) -> Iterator[Connection]:
    """A connection on which each statement commits at once; the tables are empty."""
    autocommit = assembly.engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommit.connect() as connection:
        yield connection


@pytest.fixture
def sql(shared: Assembly) -> Iterator[SqlConnection]:
    """The same by psycopg alone, as a publisher that speaks SQL; the tables stay as they are."""
    with psycopg.connect(libpq_url(shared.settings), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session", autouse=True)
def supabase_roles(servers: Servers) -> Iterator[None]:
    """Supabase's roles exist, as they would before any migration runs there."""
    with created_roles(servers.database_url):
        yield


@pytest.fixture(scope="module")
def platform_url(servers: Servers, supabase_roles: None) -> Iterator[str]:
    """A database with Supabase's tables and users, and ours."""
    with supabase_database(servers.database_url, PROFILES, USERS) as url:
        with assembly_on(url, servers) as assembly:
            migrate(assembly.engine, assembly.catalogue, assembly.handlers)
        yield url


@pytest.fixture
def platform(platform_url: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A transaction on it that is rolled back at the end of the test."""
    with psycopg.connect(platform_url) as connection:
        yield connection
        connection.rollback()
