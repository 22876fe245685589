"""Transactions that wait for a database that is away, or for a neighbour to let go."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

Result = TypeVar("Result")
AWAY = frozenset({"25006", "53300", "57P01", "57P02", "57P03"})
"""Read-only for the moment, full, shutting down, crashed, starting up."""
PAUSES = (0.05, 0.2, 0.5, 1, 2, 4, 4, 4)
IN_THE_WAY = frozenset({"40001", "40P01", "55P03"})
"""A neighbour was quicker, a deadlock was broken, a lock was waited for too long."""


def is_away(error: DBAPIError) -> bool:
    """Whether it is the database that is away, and not a statement that went wrong."""
    state = state_of(error)
    return state is None or state.startswith("08") or state in AWAY


def state_of(error: DBAPIError) -> str | None:
    """PostgreSQL's code of an error; None where it did not get to say one."""
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def in_transaction(sessions: "sessionmaker[Session]", work: Callable[[Session], Result]) -> Result:
    """Run `work` in a transaction; try again while the database is away or deadlocked."""
    for pause in (*PAUSES, None):
        try:
            with sessions.begin() as session:
                return work(session)
        except (OperationalError, InterfaceError) as error:
            if pause is None or not (is_away(error) or state_of(error) in IN_THE_WAY):
                raise
            time.sleep(pause)
    raise AssertionError("unreachable")
