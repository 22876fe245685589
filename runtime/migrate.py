"""Brings the database up to date: its tables, then what the code knows of events and handlers."""

from collections.abc import Collection, Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from events import Catalogue
from handlers import Handler
from models import server as database
from runtime.registration import register

ROOT = Path(__file__).resolve().parent.parent


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for one connection."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["connection"] = connection
    return config


def migrate(
    engine: Engine,
    catalogue: Catalogue,
    handlers: Mapping[str, Handler],
    with_key: Collection[str] = (),
) -> list[str]:
    """Upgrade the tables and write the catalogue and the map event → handlers, all at once.

    `with_key` are the providers of which this process has the key. Returns sentences on what was
    left alone, since only other code knows it, and on providers.
    """
    with engine.begin() as connection:
        upgrade(connection)
        return [
            *newer_revision(connection),
            *register(connection, catalogue, handlers, with_key),
        ]


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Upgrade the tables; those that a newer release migrated are left as they are."""
    config = alembic_config(connection)
    config.attributes["leave_newer"] = True
    command.upgrade(config, revision)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Undo migrations."""
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), revision)


def newer_revision(connection: Connection) -> list[str]:
    """A sentence, if the tables are at a revision that this code does not have."""
    current = database.revision(connection)
    script = ScriptDirectory.from_config(alembic_config(connection))
    if current is None or current in {each.revision for each in script.walk_revisions()}:
        return []
    ours = script.get_current_head()
    return [
        f"Left alone: the tables are at {current}, made by a newer release; this code has {ours}."
    ]
