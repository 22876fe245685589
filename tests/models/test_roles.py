"""Rights of Supabase's roles on our tables and functions: browsers have next to none."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text

from runtime.assembly import Assembly
from runtime.migrate import migrate
from tests.factories import Servers
from tests.models.assemblies import assembly_on
from tests.models.supabase_platform import ADA, BEA, OWNER, supabase_database

Connection = psycopg.Connection[tuple[object, ...]]

BROWSERS = ("anon", "authenticated")
USAGE = """
    INSERT INTO public.usage_limits (user_id, datasets_count, month_year)
    VALUES (%s, 1, '2025-11'), (%s, 2, '2025-11')
"""
TABLES = """
    SELECT oid::regclass::text FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND (
        relnamespace = 'insights'::regnamespace OR oid = 'public.usage_limits'::regclass)
    ORDER BY 1
"""
CALLABLE = """
    SELECT oid::regprocedure::text FROM pg_proc
    WHERE (pronamespace = 'insights'::regnamespace
       OR oid::regproc::text IN ('publish_event', 'increment_usage', 'check_limit'))
      AND has_function_privilege('{role}', oid, 'EXECUTE')
    ORDER BY 1
"""
WITHOUT_ROW_SECURITY = f"""
    SELECT oid::regclass::text FROM pg_class
    WHERE NOT relrowsecurity AND relkind IN ('r', 'p')
      AND oid::regclass::text IN ({TABLES})
"""
WITHOUT_SEARCH_PATH = """
    SELECT oid::regprocedure::text FROM pg_proc
    WHERE (pronamespace = 'insights'::regnamespace
       OR oid::regproc::text IN ('publish_event', 'increment_usage', 'check_limit'))
      AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)
"""
CALLS = (
    f"SELECT public.publish_event('user.logged_in', '{{}}', '{ADA}')",
    f"SELECT public.increment_usage('{ADA}', 'datasets', -5)",
    f"SELECT * FROM public.check_limit('{ADA}', 'datasets')",
    "SELECT insights.used(NULL, NULL)",
)


@contextmanager
def acting_as(platform: Connection, role: str, user: str = "") -> Iterator[None]:
    """Act as one of Supabase's roles, logged in as a user where one is given."""
    platform.execute("SELECT set_config('request.jwt.claim.sub', %s, true)", [user])
    platform.execute(f"SET LOCAL ROLE {role}".encode())
    yield
    platform.execute(f"SET LOCAL ROLE {OWNER}".encode())


def is_refused(platform: Connection, statement: str) -> bool:
    """Whether a role has no right to run a statement; what it did is undone in any case."""
    try:
        with platform.transaction(force_rollback=True):
            platform.execute(statement.encode())
    except InsufficientPrivilege:
        return True
    return False


def names(connection: Connection, query: str) -> list[str]:
    return [str(name) for (name,) in connection.execute(query.encode())]


@pytest.mark.parametrize("role", BROWSERS)
def test_browsers_cannot_touch_our_tables(platform: Connection, role: str) -> None:
    tables = names(platform, TABLES)
    assert {"insights.events", "insights.alembic_version", "usage_limits"} <= set(tables)

    with acting_as(platform, role, ADA):
        allowed = [
            statement
            for table in tables
            for statement in (
                f"SELECT * FROM {table}",
                f"INSERT INTO {table} SELECT * FROM {table}",
                f"INSERT INTO {table} DEFAULT VALUES",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
            )
            if not is_refused(platform, statement)
        ]

    may_look = {"authenticated": ["SELECT * FROM usage_limits"], "anon": []}
    assert allowed == may_look[role]


@pytest.mark.parametrize("role", BROWSERS)
def test_browsers_cannot_call_our_functions(platform: Connection, role: str) -> None:
    with acting_as(platform, role, ADA):
        assert [call for call in CALLS if not is_refused(platform, call)] == []
    assert names(platform, CALLABLE.format(role=role)) == []


def test_users_see_their_own_usage_alone(platform: Connection) -> None:
    platform.execute(USAGE, [ADA, BEA])

    with acting_as(platform, "authenticated", ADA):
        seen = platform.execute("SELECT user_id, datasets_count FROM public.usage_limits")
        assert seen.fetchall() == [(UUID(ADA), 1)]
    with acting_as(platform, "authenticated"):
        assert platform.execute("SELECT FROM public.usage_limits").fetchall() == []


def test_users_cannot_change_their_own_usage(platform: Connection) -> None:
    platform.execute(USAGE, [ADA, BEA])

    with acting_as(platform, "authenticated", ADA):
        assert is_refused(platform, "UPDATE public.usage_limits SET datasets_count = 0")


@pytest.mark.parametrize(
    "raise_",
    [
        "plan = 'pro'",
        "plan = 'enterprise', full_name = 'Ada'",
        "subscription_id = 'sub_1'",
        "subscription_status = 'active'",
        "stripe_customer_id = 'cus_1'",
    ],
)
def test_users_cannot_raise_their_own_plan(platform: Connection, raise_: str) -> None:
    with acting_as(platform, "authenticated", ADA):
        assert is_refused(platform, f"UPDATE public.profiles SET {raise_} WHERE id = '{ADA}'")


def test_users_cannot_sign_up_for_a_plan(platform: Connection) -> None:
    new = "00000000-0000-4000-8000-00000000000c"
    platform.execute("INSERT INTO auth.users VALUES (%s)", [new])
    free = f"INSERT INTO public.profiles (id, email) VALUES ('{new}', 'c@example.com')"
    pro = f"INSERT INTO public.profiles (id, email, plan) VALUES ('{new}', 'c@example.com', 'pro')"

    with acting_as(platform, "authenticated", new):
        assert is_refused(platform, pro)
        assert not is_refused(platform, free)


def test_users_can_still_change_their_own_name(platform: Connection) -> None:
    with acting_as(platform, "authenticated", ADA):
        changed = platform.execute(
            "UPDATE public.profiles SET full_name = ' Ada L. ', name = 'Ada', plan = plan"
            " RETURNING id::text, full_name, name"
        )
        assert changed.fetchall() == [(ADA, "Ada L.", "Ada")]


def test_the_service_role_can_publish_count_and_look(platform: Connection) -> None:
    with acting_as(platform, "service_role"):
        platform.execute("SELECT publish_event('user.logged_in', '{}', %s)", [ADA])
        platform.execute("SELECT increment_usage(%s, 'predictions', 90)", [ADA])
        left = platform.execute("SELECT * FROM check_limit(%s, 'predictions')", [ADA])
        assert left.fetchall() == [(True, 10)]
        row = platform.execute("SELECT user_id, predictions_this_month FROM public.usage_limits")
        assert row.fetchall() == [(UUID(ADA), 90)]
        platform.execute("UPDATE public.profiles SET plan = 'pro' WHERE id = %s", [ADA])

    published = platform.execute("SELECT type FROM insights.events ORDER BY type")
    assert published.fetchall() == [("usage.threshold_reached",), ("user.logged_in",)]
    assert names(platform, CALLABLE.format(role="service_role")) == [
        "check_limit(uuid,text)",
        "increment_usage(uuid,text,integer)",
        "publish_event(text,jsonb,uuid,uuid,timestamp with time zone,text)",
    ]


@pytest.mark.parametrize("role", BROWSERS)
def test_browsers_cannot_touch_profiles_that_we_created(servers: Servers, role: str) -> None:
    """Where the platform had no such table: Supabase grants rights on new tables by default."""
    with supabase_database(servers.database_url) as url:
        with assembly_on(url, servers) as assembly:
            migrate(assembly.engine, assembly.catalogue, assembly.handlers)
        with psycopg.connect(url) as connection, acting_as(connection, role, ADA):
            assert is_refused(connection, "SELECT FROM public.profiles")
            assert is_refused(connection, f"INSERT INTO public.profiles (id) VALUES ('{ADA}')")
            assert is_refused(connection, "UPDATE public.profiles SET plan = 'pro'")
            assert is_refused(connection, "DELETE FROM public.profiles")


def test_row_level_security_is_on_for_every_table_of_ours(
    platform: Connection, shared: Assembly
) -> None:
    """A new table needs `ALTER TABLE … ENABLE ROW LEVEL SECURITY` in its migration."""
    assert names(platform, WITHOUT_ROW_SECURITY) == []
    with shared.engine.connect() as connection:
        assert connection.scalars(text(WITHOUT_ROW_SECURITY)).all() == []


def test_every_function_of_ours_sets_its_search_path(platform: Connection) -> None:
    """A new function needs `SET search_path = pg_catalog, pg_temp` in its migration."""
    assert names(platform, WITHOUT_SEARCH_PATH) == []
