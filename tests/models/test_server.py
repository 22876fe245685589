"""What the database says of itself, and of rights that are wrong."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, NullPool, create_engine, text

from models.server import database_time, leaks, revision, server
from runtime.assembly import Assembly
from tests.factories import Servers, new_database


def test_the_server_is_described(connection: Connection) -> None:
    found = server(connection)

    assert found.number // 10_000 == int(found.version.split(".")[0]) >= 15
    assert found.database == connection.engine.url.database
    assert found.pid == connection.scalar(text("SELECT pg_backend_pid()"))


def test_there_is_no_revision_before_the_first_migration(
    servers: Servers, connection: Connection
) -> None:
    with new_database(servers.database_url) as url:
        engine = create_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool
        )
        with engine.connect() as empty:
            assert revision(empty) is None

    assert revision(connection) == connection.scalar(
        text("SELECT version_num FROM insights.alembic_version")
    )


def test_the_clock_is_that_of_the_database(connection: Connection) -> None:
    assert abs(database_time(connection) - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        ("GRANT USAGE ON SCHEMA insights TO anon", "anon may look into the schema insights"),
        ("GRANT USAGE ON SCHEMA insights TO public", "public may look into the schema insights"),
        (
            "GRANT EXECUTE ON FUNCTION public.check_limit TO authenticated",
            "authenticated may call check_limit(uuid,text)",
        ),
        (
            "ALTER TABLE insights.emails DISABLE ROW LEVEL SECURITY",
            "insights.emails has no row-level security",
        ),
    ],
)
def test_a_right_that_is_wrong_is_a_sentence(
    mistake: str, sentence: str, assembly: Assembly
) -> None:
    with assembly.engine.connect() as connection:  # rolled back at the end
        right = leaks(connection)
        connection.execute(text(mistake))

        assert sentence in leaks(connection)
        assert sentence not in right
