"""Transactions of commands, which report database errors in one sentence."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cli.app import DatabaseRefused, WrongInput
from models.database_errors import trouble_of
from models.handlers.table import handler_names
from models.transactions import in_transaction
from runtime.assembly import Assembly
from settings import MissingSetting

if TYPE_CHECKING:
    from sqlalchemy import Connection

NOT_MIGRATED = {"42P01", "3F000"}  # SQLSTATE: no such table, no such schema


@contextmanager
def transaction(assembly: Assembly) -> Iterator["Connection"]:
    """A transaction, committed at the end. Raises DatabaseRefused."""
    with database_errors(), assembly.engine.begin() as connection:
        yield connection


def retried(assembly: Assembly, work: Callable[["Connection"], None]) -> None:
    """Run `work` in a transaction, again where it waited in vain. Raises DatabaseRefused.

    A frozen process may hold the row: the server ends its transaction after a while.
    """
    with database_errors():
        in_transaction(assembly.sessions, lambda session: work(session.connection()))


@contextmanager
def session(assembly: Assembly) -> Iterator[Session]:
    """The same for functions that take a session. Raises DatabaseRefused.

    Unlike `assembly.sessions`, its commit does not ring the relay, so it needs no Redis.
    """
    with database_errors(), Session(assembly.engine) as opened, opened.begin():
        yield opened


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn an error that a statement is to blame for into DatabaseRefused.

    That the database is away or busy is reported in one place for all commands, `cli.app`.
    """
    try:
        yield
    except DBAPIError as error:
        if trouble_of(error) is not None:
            raise
        raise DatabaseRefused(message_of(error)) from None


def message_of(error: DBAPIError) -> str:
    """PostgreSQL's message, with its hint."""
    if getattr(error.orig, "sqlstate", None) in NOT_MIGRATED:
        return "The database has no tables of ours yet. Run `insights migrate`."
    answer = getattr(error.orig, "diag", None)
    message = getattr(answer, "message_primary", None)
    message = message or str(error.orig).split("\n", maxsplit=1)[0]
    hint = getattr(answer, "message_hint", None)
    return f"PostgreSQL refused: {message}." + (f" {hint}" if hint else "")


def require_handler(connection: "Connection", name: str) -> None:
    """Raises WrongInput with the list of handlers if the database has none of that name."""
    names = handler_names(connection)
    if name not in names:
        raise WrongInput(
            f"No handler is called '{name}'. There are: {', '.join(names) or 'none'}. "
            "`insights migrate` adds those of new code."
        )


def ring(assembly: Assembly) -> None:
    """Ring the relay, if there is a Redis. Without the ring, it looks within 200 ms."""
    try:
        assembly.doorbell.ring()
    except MissingSetting:
        return
