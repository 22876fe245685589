"""Migrations go up, down and up again, on an empty database and on a platform's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import LockNotAvailable, RaiseException
from sqlalchemy import text

from models.deliveries.look import look
from runtime.migrate import downgrade, migrate, upgrade
from tests.factories import Servers, new_database
from tests.models.assemblies import assembly_on
from tests.models.database_snapshot import snapshot
from tests.models.supabase_platform import ADA, BEA, PROFILES, USERS, supabase_database

ROOT = Path(__file__).resolve().parent.parent.parent
MIGRATIONS = "hashtext('insights.migrate')"

PLANS = """
    ALTER TABLE public.profiles ADD COLUMN plan text DEFAULT 'free', ADD COLUMN name text;
    UPDATE public.profiles SET plan = 'pro', name = 'Ada' WHERE email = 'ada@example.com';
    UPDATE public.profiles SET plan = NULL WHERE email = 'bea@example.com';
"""
TYPED_PLANS = """
    CREATE TYPE public.plan AS ENUM ('free', 'pro');
    ALTER TABLE public.profiles ADD COLUMN plan public.plan NOT NULL DEFAULT 'free',
        ADD COLUMN stripe_customer_id varchar(100);
"""
TRIALS = "ALTER TABLE public.profiles ADD COLUMN plan text NOT NULL DEFAULT 'trial'"
PLATFORMS = {
    "without profiles": (),
    "as Supabase makes it": (PROFILES, USERS),
    "with a plan and a name": (PROFILES, USERS, PLANS),
    "with plans of an enum type": (PROFILES, USERS, TYPED_PLANS),
}
USE = """
    SELECT increment_usage(id, 'trainings', 9) FROM public.profiles;
    SELECT publish_event('user.logged_in', '{}', id) FROM public.profiles;
"""


@pytest.fixture
def empty(servers: Servers) -> Iterator[str]:
    with new_database(servers.database_url) as url:
        yield url


@pytest.fixture
def unmigrated_platform(servers: Servers) -> Iterator[str]:
    """Supabase with users, before our first migration."""
    with supabase_database(servers.database_url, PROFILES, USERS) as url:
        yield url


@pytest.fixture(params=list(PLATFORMS.values()), ids=list(PLATFORMS))
def any_platform(servers: Servers, request: pytest.FixtureRequest) -> Iterator[str]:
    with supabase_database(servers.database_url, *request.param) as url:
        yield url


def migrate_up(url: str, servers: Servers) -> None:
    with assembly_on(url, servers) as assembly:
        migrate(assembly.engine, assembly.catalogue, assembly.handlers)


def migrate_down(url: str, servers: Servers) -> None:
    with assembly_on(url, servers) as assembly:
        downgrade(assembly.engine)


def test_up_down_and_up_again_on_an_empty_database(empty: str, servers: Servers) -> None:
    before = snapshot(empty)
    migrate_up(empty, servers)
    migrated = snapshot(empty)
    migrate_down(empty, servers)
    after = snapshot(empty)
    migrate_up(empty, servers)

    assert after == before
    assert snapshot(empty) == migrated


def test_up_twice_changes_nothing(empty: str, servers: Servers) -> None:
    migrate_up(empty, servers)
    migrated = snapshot(empty)
    migrate_up(empty, servers)

    assert snapshot(empty) == migrated


def test_profiles_of_a_platform_keep_their_rows_and_are_on_the_free_plan(
    unmigrated_platform: str, servers: Servers
) -> None:
    migrate_up(unmigrated_platform, servers)

    with psycopg.connect(unmigrated_platform) as connection:
        rows = connection.execute(
            "SELECT id::text, email, full_name, name, plan, stripe_customer_id"
            " FROM public.profiles ORDER BY id"
        ).fetchall()
    assert rows == [
        (ADA, "ada@example.com", "Ada Lovelace", None, "free", None),
        (BEA, "bea@example.com", None, None, "free", None),
    ]


def test_a_downgrade_leaves_a_platform_exactly_as_it_was(
    any_platform: str, servers: Servers
) -> None:
    before = snapshot(any_platform)
    migrate_up(any_platform, servers)
    migrated = snapshot(any_platform)
    with psycopg.connect(any_platform) as connection:
        connection.execute(USE)
    migrate_down(any_platform, servers)
    after = snapshot(any_platform)
    migrate_up(any_platform, servers)

    assert after == before
    assert snapshot(any_platform) == migrated


@pytest.mark.parametrize("plans", [PLANS, TYPED_PLANS], ids=["text", "an enum type"])
def test_plans_that_a_platform_already_had_are_kept_and_count(servers: Servers, plans: str) -> None:
    shown = "SELECT email, plan::text FROM public.profiles ORDER BY email"
    with supabase_database(servers.database_url, PROFILES, USERS, plans) as url:
        with psycopg.connect(url) as connection:
            before = connection.execute(shown.encode()).fetchall()
        migrate_up(url, servers)

        with psycopg.connect(url) as connection:
            assert connection.execute(shown.encode()).fetchall() == before
            connection.execute("SELECT increment_usage(%s, 'trainings', 8)", [BEA])
            left = connection.execute("SELECT * FROM check_limit(%s, 'trainings')", [BEA])
            assert left.fetchall() == [(True, 2)]
            published = connection.execute("SELECT type, user_id::text FROM insights.events")
            assert published.fetchall() == [("usage.threshold_reached", BEA)]


def test_an_unknown_plan_stops_the_migration_and_is_named(servers: Servers) -> None:
    with supabase_database(servers.database_url, PROFILES, USERS, TRIALS) as url:
        before = snapshot(url)

        with pytest.raises(RaiseException, match='the plan "trial"'):
            migrate_up(url, servers)

        assert snapshot(url) == before


def test_a_migration_gives_up_while_profiles_are_locked_for_long(
    unmigrated_platform: str, servers: Servers
) -> None:
    before = snapshot(unmigrated_platform)

    with psycopg.connect(unmigrated_platform) as reader:
        reader.execute("SELECT count(*) FROM public.profiles")
        with pytest.raises(LockNotAvailable):
            migrate_up(unmigrated_platform, servers)

    assert snapshot(unmigrated_platform) == before
    with psycopg.connect(unmigrated_platform) as connection:
        assert connection.execute("SELECT to_regnamespace('insights')").fetchall() == [(None,)]
    migrate_up(unmigrated_platform, servers)


def test_of_two_migrations_at_once_one_waits_and_both_succeed(empty: str, servers: Servers) -> None:
    command = [sys.executable, "-m", "cli", "migrate"]
    places = {"DATABASE_URL": empty, "REDIS_URL": servers.redis_url}
    with psycopg.connect(empty, autocommit=True) as gate:
        gate.execute(f"SELECT pg_advisory_lock({MIGRATIONS})".encode())
        both = [subprocess.Popen(command, cwd=ROOT, env=os.environ | places) for _ in range(2)]
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while gate.execute(waiting.encode()).fetchone() != (2,):
            with pytest.raises(subprocess.TimeoutExpired):
                both[0].wait(0.05)
        gate.execute(f"SELECT pg_advisory_unlock({MIGRATIONS})".encode())
        assert [one.wait(30) for one in both] == [0, 0]

        newest = max((ROOT / "alembic/versions").glob("0*.py")).name.partition("_")[0]
        assert gate.execute("SELECT version_num FROM insights.alembic_version").fetchall() == [
            (newest,)
        ]


def test_what_an_installation_of_before_owes_waits_for_a_migration_with_its_keys(
    empty: str, servers: Servers
) -> None:
    owe = "INSERT INTO insights.deliveries (handler, event_id) VALUES ('emails', gen_random_uuid())"
    with assembly_on(empty, servers) as assembly:
        with assembly.engine.begin() as connection:
            upgrade(connection, "0008")
            connection.execute(text("INSERT INTO insights.handlers (name) VALUES ('emails')"))
            connection.execute(text(owe))

        def due() -> int:
            with assembly.engine.connect() as connection:
                return sum(each.free for each in look(connection, {"emails": 9}))

        migrate(assembly.engine, assembly.catalogue, assembly.handlers)
        without_key = due()
        migrate(assembly.engine, assembly.catalogue, assembly.handlers, ["loops"])
        with_key = due()

    assert (without_key, with_key) == (0, 1)


def test_a_migration_that_waited_for_a_newer_one_leaves_it_alone(
    empty: str, servers: Servers
) -> None:
    migrate_up(empty, servers)
    command = [sys.executable, "-m", "cli", "migrate"]
    places = {"DATABASE_URL": empty, "REDIS_URL": servers.redis_url}
    with psycopg.connect(empty, autocommit=True) as gate:
        gate.execute(f"SELECT pg_advisory_lock({MIGRATIONS})".encode())
        older = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | places, stdout=subprocess.PIPE, text=True
        )
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while gate.execute(waiting.encode()).fetchone() != (1,):
            assert older.poll() is None
        gate.execute("UPDATE insights.alembic_version SET version_num = '9999'")
        gate.execute(f"SELECT pg_advisory_unlock({MIGRATIONS})".encode())
        printed, _ = older.communicate(timeout=30)

    assert older.returncode == 0
    assert printed.startswith("Left alone: the tables are at 9999")
