"""All of the database's schema that SQLAlchemy's models cannot express, as one text."""

import re

from sqlalchemy import Connection, text

# Partitions of days (batches_20261126) are made at run time, and left out.
# Ours is what stands in `insights`, and what migrations made in `public`.
SECTIONS = {
    "functions": """
        SELECT pg_get_functiondef(p.oid) || ';'
        FROM pg_proc p
        WHERE p.pronamespace = CAST('insights' AS regnamespace)
           OR p.pronamespace = CAST('public' AS regnamespace)
        ORDER BY CAST(CAST(p.oid AS regprocedure) AS text)
    """,
    "triggers": """
        SELECT pg_get_triggerdef(t.oid) || ';' FROM pg_trigger t
        WHERE NOT t.tgisinternal ORDER BY t.tgname
    """,
    "views": """
        SELECT format(E'CREATE VIEW %s %s AS\\n%s', CAST(CAST(c.oid AS regclass) AS text),
                      CAST(c.reloptions AS text), pg_get_viewdef(c.oid, true))
        FROM pg_class c
        WHERE c.relkind = 'v' AND c.relnamespace = CAST('insights' AS regnamespace)
        ORDER BY c.relname
    """,
    "row security": """
        SELECT format('%s: %s', CAST(CAST(c.oid AS regclass) AS text),
                      CASE WHEN c.relrowsecurity THEN 'on' ELSE 'OFF' END)
        FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND c.relname !~ '^batches_[0-9]{8}$' AND c.relnamespace IN (
            CAST('insights' AS regnamespace), CAST('public' AS regnamespace))
        ORDER BY 1
    """,
    "storage parameters": """
        SELECT format('%s: %s', CAST(CAST(c.oid AS regclass) AS text),
                      array_to_string(c.reloptions, ', '))
        FROM pg_class c
        WHERE c.relkind = 'r' AND c.relname !~ '^batches_[0-9]{8}$'
          AND c.reloptions IS NOT NULL AND c.relnamespace IN (
            CAST('insights' AS regnamespace), CAST('public' AS regnamespace))
        ORDER BY 1
    """,
    "indexes": """
        SELECT indexdef || ';' FROM pg_indexes WHERE schemaname IN ('insights', 'public')
          AND tablename !~ '^batches_[0-9]{8}$'
        ORDER BY schemaname, indexname
    """,
    "numbers by default": """
        SELECT format('%s.%s: %s', CAST(CAST(d.adrelid AS regclass) AS text), a.attname,
                      pg_get_expr(d.adbin, d.adrelid))
        FROM pg_attrdef d
        JOIN pg_class c ON c.oid = d.adrelid
        JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE c.relnamespace = CAST('insights' AS regnamespace)
          AND c.relname !~ '^batches_[0-9]{8}$'
          AND pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval%'
        ORDER BY 1
    """,
    "check constraints": """
        SELECT format('%s: %s %s', CAST(CAST(c.conrelid AS regclass) AS text), c.conname,
                      pg_get_constraintdef(c.oid))
        FROM pg_constraint c
        WHERE c.contype = 'c' AND c.conrelid <> 0 AND c.connamespace IN (
            CAST('insights' AS regnamespace), CAST('public' AS regnamespace))
        ORDER BY 1
    """,
}


def schema_listing(on: Connection) -> str:
    """Functions, triggers, views, row security, storage parameters, indexes and checks."""
    on.execute(text("SET LOCAL search_path = pg_catalog"))
    found = []
    for title, query in SECTIONS.items():
        rows = [row.rstrip() for row in on.scalars(text(query))]
        if title == "views":
            # PostgreSQL 18 leaves out the one-letter aliases where a view reads a single table.
            rows = [re.sub(r"\b[a-z]\.(?=[a-z_])", "", row) for row in rows]
        found.append("\n".join([f"-- {title}", *rows]))
    return "\n\n".join(found) + "\n"
