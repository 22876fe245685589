"""What must be there before requests may come, asked with little patience."""

from collections.abc import Callable, Iterator
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import InterfaceError, OperationalError

from models.condition import registered_types, revision
from web.problems import Wrong

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = {"connect_timeout": 2, "tcp_user_timeout": 2000, "prepare_threshold": None}
IN_TIME = text("SET LOCAL statement_timeout = '2s'")
MIGRATE = "Run `insights migrate`."


class Readiness:
    """Looks for itself each time: a connection of its own waits for no pool."""

    def __init__(
        self, postgres_url: str, redis_answers: Callable[[], bool], types: frozenset[str]
    ) -> None:
        self.engine = create_engine(postgres_url, poolclass=NullPool, connect_args=PATIENCE)
        self.redis_answers = redis_answers
        self.types = types
        self.scripts = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))

    def of_the_database(self) -> Iterator[Wrong]:
        """Whether PostgreSQL answers, and has the tables and event types of this code."""
        try:
            with self.engine.begin() as connection:
                connection.execute(IN_TIME)
                yield from self.of_the_tables(connection)
        except (OperationalError, InterfaceError):
            yield Wrong(field="database", detail="PostgreSQL at DATABASE_URL does not answer.")

    def of_the_tables(self, connection: Connection) -> Iterator[Wrong]:
        """A revision that this code does not know is of newer code, and no fault."""
        found, wanted = revision(connection), self.scripts.get_current_head()
        known = {script.revision for script in self.scripts.walk_revisions()}
        if found is None or (found != wanted and found in known):
            detail = f"The tables are at {found or 'nothing'}, this code needs {wanted}. {MIGRATE}"
            yield Wrong(field="migrations", detail=detail)
            return
        unknown = self.types - registered_types(connection).keys()
        if unknown:
            detail = f"The database does not know {', '.join(sorted(unknown))}. {MIGRATE}"
            yield Wrong(field="event_types", detail=detail)

    def of_redis(self) -> Iterator[Wrong]:
        """Whether Redis answers."""
        if not self.redis_answers():
            yield Wrong(field="redis", detail="Redis at REDIS_URL does not answer.")
