"""Brings the database up to date: its tables, then what the code knows of events and handlers."""

import json
from collections.abc import Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from events import Catalogue
from events.contract.schema import data_schema
from handlers import Handler

ROOT = Path(__file__).resolve().parent.parent

TYPES = text("""
    INSERT INTO insights.event_types (type, version, schema)
    SELECT * FROM unnest(CAST(:types AS text[]), CAST(:versions AS integer[]),
                         CAST(:schemas AS jsonb[]))
    ON CONFLICT (type) DO UPDATE SET version = excluded.version, schema = excluded.schema
""")
HANDLERS = text("""
    INSERT INTO insights.handlers (name) SELECT unnest(CAST(:names AS text[]))
    ON CONFLICT DO NOTHING
""")
FOLLOW = text("""
    INSERT INTO insights.subscriptions (event_type, handler)
    SELECT * FROM unnest(CAST(:types AS text[]), CAST(:names AS text[]))
    ON CONFLICT DO NOTHING
""")
UNFOLLOW = text("""
    DELETE FROM insights.subscriptions s
    WHERE NOT EXISTS (
        SELECT FROM unnest(CAST(:types AS text[]), CAST(:names AS text[])) AS k (type, name)
        WHERE k.type = s.event_type AND k.name = s.handler)
""")


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for one connection."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["connection"] = connection
    return config


def migrate(
    engine: Engine, catalogue: Catalogue, handlers: Mapping[str, Handler], revision: str = "head"
) -> None:
    """Upgrade the tables and write the catalogue and the map event → handlers, all at once."""
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), revision)
        register(connection, catalogue, handlers)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Undo migrations."""
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), revision)


def register(connection: Connection, catalogue: Catalogue, handlers: Mapping[str, Handler]) -> None:
    """Make the database's event types, handlers and subscriptions those of the code."""
    classes = [catalogue[name] for name in catalogue]
    connection.execute(
        TYPES,
        {
            "types": [each.type for each in classes],
            "versions": [each.version for each in classes],
            "schemas": [json.dumps(data_schema(each)) for each in classes],
        },
    )
    connection.execute(HANDLERS, {"names": list(handlers)})
    pairs = [(type_, name) for name, handler in handlers.items() for type_ in handler.types]
    given = {"types": [pair[0] for pair in pairs], "names": [pair[1] for pair in pairs]}
    connection.execute(UNFOLLOW, given)
    connection.execute(FOLLOW, given)
