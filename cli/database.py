"""Transactions of commands, whose failures read as sentences."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from cli.errors import DatabaseRefused, WrongInput
from models.pauses import handler_names
from runtime.assembly import Assembly
from settings import MissingSetting

if TYPE_CHECKING:
    from sqlalchemy import Connection

NOT_MIGRATED = {"42P01", "3F000"}


@contextmanager
def transaction(assembly: Assembly) -> Iterator["Connection"]:
    """A transaction, committed at the end. Raises DatabaseRefused."""
    with in_sentences(), assembly.engine.begin() as connection:
        yield connection


@contextmanager
def session(assembly: Assembly) -> Iterator[Session]:
    """The same for functions that take a session; it does not need Redis."""
    with in_sentences(), Session(assembly.engine) as opened, opened.begin():
        yield opened


@contextmanager
def in_sentences() -> Iterator[None]:
    """Turn what PostgreSQL refuses into DatabaseRefused; that it is away is told elsewhere."""
    try:
        yield
    except (OperationalError, InterfaceError):
        raise
    except DBAPIError as error:
        raise DatabaseRefused(sentence_of(error)) from None


def sentence_of(error: DBAPIError) -> str:
    """What PostgreSQL said, with its hint."""
    if getattr(error.orig, "sqlstate", None) in NOT_MIGRATED:
        return "The database has no tables of ours yet. Run `insights migrate`."
    said = getattr(error.orig, "diag", None)
    message = getattr(said, "message_primary", None) or str(error.orig).split("\n", maxsplit=1)[0]
    hint = getattr(said, "message_hint", None)
    return f"PostgreSQL refused: {message}." + (f" {hint}" if hint else "")


def require_handler(connection: "Connection", name: str) -> None:
    """Raises WrongInput with the list of handlers where there is none of that name."""
    names = handler_names(connection)
    if name not in names:
        raise WrongInput(
            f"No handler is called '{name}'. There are: {', '.join(names) or 'none'}. "
            "`insights migrate` adds those of new code."
        )


def ring(assembly: Assembly) -> None:
    """Wake the relay, where Redis is known; without that it looks within a second."""
    try:
        assembly.doorbell.ring()
    except MissingSetting:
        return
