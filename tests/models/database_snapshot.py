"""All that a database holds outside of the schema `insights`, to be compared before and after."""

from typing import Any

import psycopg

QUERIES = {
    "columns": """
        SELECT table_schema, table_name, column_name, data_type, is_nullable, column_default,
               rank() OVER (PARTITION BY table_schema, table_name ORDER BY ordinal_position)
        FROM information_schema.columns WHERE table_schema IN ('public', 'auth')
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated
        FROM pg_constraint WHERE connamespace IN ('public'::regnamespace, 'auth'::regnamespace)
    """,
    "triggers": """
        SELECT tgrelid::regclass::text,
               CASE WHEN tgisinternal THEN tgfoid::regproc::text ELSE pg_get_triggerdef(t.oid) END
        FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
        WHERE relnamespace IN ('public'::regnamespace, 'auth'::regnamespace)
    """,
    "indexes": """
        SELECT indexdef FROM pg_indexes WHERE schemaname IN ('public', 'auth')
    """,
    "policies": """
        SELECT schemaname, tablename, policyname, roles::text, cmd, qual, with_check
        FROM pg_policies
    """,
    "comments": """
        SELECT objoid::regclass::text, objsubid, description FROM pg_description
        WHERE classoid = 'pg_class'::regclass
          AND objoid IN (SELECT oid FROM pg_class WHERE relnamespace IN
                         ('public'::regnamespace, 'auth'::regnamespace))
    """,
    "rights on tables": """
        SELECT oid::regclass::text, relkind::text, relacl::text, relrowsecurity,
               relowner::regrole::text
        FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'auth'::regnamespace)
    """,
    "functions": """
        SELECT oid::regprocedure::text, proacl::text, prosrc
        FROM pg_proc WHERE pronamespace IN ('public'::regnamespace, 'auth'::regnamespace)
    """,
    "types": """
        SELECT oid::regtype::text FROM pg_type
        WHERE typnamespace IN ('public'::regnamespace, 'auth'::regnamespace)
    """,
    "schemas": """
        SELECT nspname, nspacl::text FROM pg_namespace
        WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'insights'
    """,
}


def snapshot(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Tables, columns, constraints, triggers, policies, comments, rights, functions and rows."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS auth; SET LOCAL search_path = pg_catalog")
        shown = {name: connection.execute(q.encode()).fetchall() for name, q in QUERIES.items()}
        for (table,) in connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace IN ('public'::regnamespace, 'auth'::regnamespace)"
        ).fetchall():
            rows = f"SELECT to_jsonb(t)::text FROM {table} t"
            shown[f"rows of {table}"] = connection.execute(rows.encode()).fetchall()
        connection.rollback()
    return {name: sorted(rows, key=repr) for name, rows in shown.items()}
