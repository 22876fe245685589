"""Databases as Supabase sets them up: its roles, its users, and a `profiles` table of its own."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import sql
from psycopg.errors import DependentObjectsStillExist

from tests.factories import new_database

OWNER = "insights_test_owner"
ROLES = {"anon": "", "authenticated": "", "service_role": "BYPASSRLS", OWNER: ""}
MADE_BY_TESTS = "made by the tests of insights"  # the comment on roles that we may drop

ADA, BEA = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"

PLATFORM = """
CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email text);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid
$$;
GRANT USAGE ON SCHEMA auth, public TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT ALL ON TABLES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT ALL ON SEQUENCES TO anon, authenticated, service_role;
"""

PROFILES = """
CREATE TABLE public.profiles (
    id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE,
    email text NOT NULL,
    full_name text,
    avatar_url text,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE public.profiles IS 'What others see of a user';
COMMENT ON COLUMN public.profiles.full_name IS 'As the user writes it';
ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Public profiles are viewable by everyone" ON public.profiles
    FOR SELECT USING (true);
CREATE POLICY "Users can insert their own profile" ON public.profiles
    FOR INSERT WITH CHECK (auth.uid() = id);
CREATE POLICY "Users can update own profile" ON public.profiles
    FOR UPDATE USING (auth.uid() = id);
CREATE FUNCTION public.trim_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.full_name = trim(NEW.full_name);
    RETURN NEW;
END $$;
CREATE TRIGGER trim_name BEFORE UPDATE ON public.profiles
    FOR EACH ROW EXECUTE FUNCTION public.trim_name();
"""

USERS = f"""
INSERT INTO auth.users VALUES ('{ADA}', 'ada@example.com'), ('{BEA}', 'bea@example.com');
INSERT INTO public.profiles (id, email, full_name, created_at) VALUES
    ('{ADA}', 'ada@example.com', 'Ada Lovelace', '2024-12-10 08:00+00'),
    ('{BEA}', 'bea@example.com', NULL, '2025-02-03 21:30+00');
"""


@contextmanager
def created_roles(server: str) -> Iterator[None]:
    """Supabase's roles exist inside the block.

    Roles belong to the whole server, so the last test run that uses them drops them.
    """
    with psycopg.connect(server, autocommit=True) as connection:
        with role_lock(connection):
            for name, attributes in ROLES.items():
                create_role(connection, name, attributes)
            connection.execute("SELECT pg_advisory_lock_shared(hashtext('tests: roles in use'))")
        yield
        with role_lock(connection):
            connection.execute("SELECT pg_advisory_unlock_shared(hashtext('tests: roles in use'))")
            drop_roles(connection)


@contextmanager
def role_lock(connection: "psycopg.Connection[tuple[object, ...]]") -> Iterator[None]:
    """A transaction in which no other test run makes or drops roles."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('tests: roles'))")
        yield


def create_role(
    connection: "psycopg.Connection[tuple[object, ...]]", name: str, attributes: str
) -> None:
    """Create a role that is missing, with a comment that lets `drop_roles` find it."""
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
        connection.execute(f"CREATE ROLE {name} {attributes}".encode())
        connection.execute(f"COMMENT ON ROLE {name} IS '{MADE_BY_TESTS}'".encode())


def drop_roles(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Drop the roles that tests made, unless another test run or its databases use them."""
    row = connection.execute(
        "SELECT pg_try_advisory_xact_lock(hashtext('tests: roles in use'))"
    ).fetchone()
    if row != (True,):
        return
    for (name,) in connection.execute(
        "SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = %s",
        [MADE_BY_TESTS],
    ).fetchall():
        with suppress(DependentObjectsStillExist), connection.transaction():
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(str(name))))


@contextmanager
def supabase_database(server: str, *scripts: str) -> Iterator[str]:
    """A new database on which these scripts ran, inside `created_roles`.

    Its URL logs in as the owner of that database, who is no superuser.
    """
    with new_database(server) as url:
        name = url.partition("?")[0].rsplit("/", 1)[1]
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} OWNER TO {OWNER}".encode())
        as_owner = f"{url}{'&' if '?' in url else '?'}options=-c%20role%3D{OWNER}"
        with psycopg.connect(as_owner) as connection:
            for script in (PLATFORM, *scripts):
                connection.execute(script.encode())
        yield as_owner
