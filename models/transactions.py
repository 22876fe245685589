"""Transactions that are retried on a lost connection, a deadlock or a lock time-out."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

Result = TypeVar("Result")

AWAY = frozenset({"25006", "53300", "57P01", "57P02", "57P03"})
"""SQLSTATE of a server that cannot work now: read-only, full, shutting down, crashed, starting."""

RETRYABLE = frozenset({"40001", "40P01", "55P03"})
"""SQLSTATE of a conflict that another try may not meet: serialization, deadlock, lock time-out."""

PAUSES = (0.05, 0.2, 0.5, 1, 2, 4, 4, 4)  # seconds between tries: 16 s, as long as a fail-over


def is_away(error: DBAPIError) -> bool:
    """Whether it is the database that is away, and not a statement that went wrong."""
    state = state_of(error)
    return state is None or state.startswith("08") or state in AWAY


def state_of(error: DBAPIError) -> str | None:
    """PostgreSQL's code of an error; None where it did not get to say one."""
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def in_transaction(sessions: "sessionmaker[Session]", work: Callable[[Session], Result]) -> Result:
    """Run `work` in a transaction; try again while the database is away or in conflict.

    `work` must be repeatable. Raises the last error after 16 s of tries, any other one at once.
    """
    for pause in (*PAUSES, None):
        try:
            with sessions.begin() as session:
                return work(session)
        except (OperationalError, InterfaceError) as error:
            if pause is None or not (is_away(error) or state_of(error) in RETRYABLE):
                raise
            time.sleep(pause)
    raise AssertionError("unreachable")
