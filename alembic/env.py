"""Runs migrations in one transaction that waits for nobody long and runs alone."""

from alembic import context
from sqlalchemy import Connection, create_engine, text

from models import Base

GUARDS = (
    "SET LOCAL statement_timeout = '10min'",
    "SELECT pg_advisory_xact_lock(hashtext('insights.migrate'))",
    "SET LOCAL lock_timeout = '5s'",
    "CREATE SCHEMA IF NOT EXISTS insights",
)


def migrate(connection: Connection) -> None:
    """Bring the database to the wanted revision."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        version_table_schema="insights",
        include_schemas=True,
    )
    with context.begin_transaction():
        for guard in GUARDS:
            connection.execute(text(guard))
        # Under the lock: a newer release may be migrating at this moment.
        if context.config.attributes.get("leave_newer") and is_newer():
            return
        context.run_migrations()


def is_newer() -> bool:
    """Whether a newer release migrated the database, to a revision that is not here."""
    ours = {each.revision for each in context.script.walk_revisions()}
    return not set(context.get_context().get_current_heads()) <= ours


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    from settings import Settings

    with create_engine(Settings().postgres_url).connect() as opened:
        migrate(opened)
        opened.commit()
