"""Checks what must be there before requests may come; each check ends within seconds."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from models.event_types import registered_types
from models.server import is_read_only, revision
from web.problems import FieldError

ALEMBIC_INI = Path(__file__).resolve().parent.parent / "alembic.ini"
STATEMENT_TIMEOUT = text("SET LOCAL statement_timeout = '2s'")
MIGRATE = "Run `insights migrate`."
READ_ONLY = "PostgreSQL at DATABASE_URL takes no writes now: it is a replica, or set to read-only."


class Findings(NamedTuple):
    """What publishing needs and does not find, and what is missing beyond that."""

    missing: list[FieldError]
    without: list[FieldError]


class Readiness:
    """Checks anew each time. Its engine must not pool: a full pool says nothing of the server."""

    def __init__(
        self, engine: Engine, test_redis: Callable[[], list[str]], types: frozenset[str]
    ) -> None:
        self.engine = engine
        self.test_redis = test_redis
        self.types = types
        self.scripts = ScriptDirectory.from_config(Config(ALEMBIC_INI))

    def check(self) -> Findings:
        return Findings(list(self.database_errors()), list(self.redis_errors()))

    def database_errors(self) -> Iterator[FieldError]:
        """Whether PostgreSQL answers, and has the tables and event types of this code."""
        try:
            with self.engine.begin() as connection:
                connection.execute(STATEMENT_TIMEOUT)
                if is_read_only(connection):
                    yield FieldError(field="database", detail=READ_ONLY)
                yield from self.migration_errors(connection)
        except DBAPIError:
            yield FieldError(field="database", detail="PostgreSQL at DATABASE_URL does not answer.")

    def migration_errors(self, connection: Connection) -> Iterator[FieldError]:
        """Whether the tables are as new as this code, and know its event types."""
        found, wanted = revision(connection), self.scripts.get_current_head()
        known = {script.revision for script in self.scripts.walk_revisions()}
        # A revision that this code does not know is of newer code, which keeps older code working:
        # during a deployment both run.
        if found is None or (found != wanted and found in known):
            detail = f"The tables are at {found or 'nothing'}, this code needs {wanted}. {MIGRATE}"
            yield FieldError(field="migrations", detail=detail)
            return
        unknown = self.types - registered_types(connection).keys()
        if unknown:
            detail = f"The database does not know {', '.join(sorted(unknown))}. {MIGRATE}"
            yield FieldError(field="event_types", detail=detail)

    def redis_errors(self) -> Iterator[FieldError]:
        """Whether Redis does what it is used for, with the rights of the user in REDIS_URL."""
        for detail in self.test_redis():
            yield FieldError(field="redis", detail=detail)
