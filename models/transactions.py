"""Transactions that are retried on a lost connection, a deadlock or a lock time-out."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from models.connections import STOPPED
from models.database_errors import Trouble, trouble_of

Result = TypeVar("Result")

# Seconds between tries while the database is away: 16 s in all, as long as most fail-overs.
PAUSES_AWAY = (0.05, 0.2, 0.5, 1, 2, 4, 4, 4)
# After a conflict. Few: a lock time-out has waited for 10 s already.
PAUSES_CONFLICT = (0.05, 0.2)


def in_transaction(sessions: "sessionmaker[Session]", work: Callable[[Session], Result]) -> Result:
    """Run `work` in a transaction; try again while the database is away or in conflict.

    `work` must be repeatable. Raises the last error when the tries are used up, or when the process
    should end; any other at once.
    """
    pauses = {Trouble.AWAY: iter(PAUSES_AWAY), Trouble.CONFLICT: iter(PAUSES_CONFLICT)}
    while True:
        try:
            with sessions.begin() as session:
                stopped = session.info.get(STOPPED)
                return work(session)
        except (DBAPIError, PoolTimeout) as error:
            # A session that was ended for standing idle is not repeated: the same work would
            # stand idle again.
            pause = next(pauses.get(trouble_of(error), iter(())), None)  # type: ignore[arg-type]
            if pause is None or is_over(stopped, pause):
                raise


def is_over(stopped: Event | None, pause: float) -> bool:
    """Pause for so many seconds; whether the process should end, which ends the pause too."""
    if stopped is not None:
        return stopped.wait(pause)
    time.sleep(pause)
    return False
