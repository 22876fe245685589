"""Brings the database up to date: its tables, then what the code knows of events and handlers."""

from collections.abc import Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

from events import Catalogue
from events.contract.schema import data_schema
from handlers import Handler
from models import event_types, subscriptions
from models.event_types import EventType
from models.handlers import table as handler_table

ROOT = Path(__file__).resolve().parent.parent


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
    event_types.register(
        connection, [EventType(each.type, each.version, data_schema(each)) for each in classes]
    )
    handler_table.register(connection, handlers)
    subscriptions.replace(
        connection,
        [(type_, name) for name, handler in handlers.items() for type_ in handler.types],
    )
