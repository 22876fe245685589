"""Transactions that wait for a database that is away, or for a neighbour to let go."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

Result = TypeVar("Result")
PAUSES = (0.05, 0.2, 0.5, 1, 2, 4, 4, 4)


def in_transaction(sessions: "sessionmaker[Session]", work: Callable[[Session], Result]) -> Result:
    """Run `work` in a transaction; try again while the database is away or deadlocked."""
    for pause in (*PAUSES, None):
        try:
            with sessions.begin() as session:
                return work(session)
        except (OperationalError, InterfaceError):
            if pause is None:
                raise
            time.sleep(pause)
    raise AssertionError("unreachable")
