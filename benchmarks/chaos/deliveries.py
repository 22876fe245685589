"""What is still owed in a run: counted, hurried along at the end, and owed again on purpose."""

import time
from collections.abc import Iterable
from contextlib import suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from models.deliveries.replay import Selection, owe_history

LOOK_INTERVAL = 0.25  # s
DONE_TIMEOUT = 300.0  # s; several times what the longest run has needed

# By types, because counting the events of each handler one by one would slow the run down.
COUNT_DONE = text("""
    SELECT coalesce(sum(e.number), 0) - (
        SELECT count(*) FROM insights.deliveries d WHERE d.handler = ANY (:handlers))
    FROM (SELECT type, count(*) AS number FROM insights.events GROUP BY type) AS e
    JOIN insights.subscriptions s ON s.event_type = e.type
    WHERE s.handler = ANY (:handlers)
""")
# Dead letters are judged later, by `compare`.
COUNT_OPEN = text("""
    SELECT count(*) AS owed, count(*) FILTER (WHERE leased) AS leased
    FROM insights.deliveries WHERE died_at IS NULL
""")
# A circuit breaker stays open for up to a minute, for which no run should wait.
CLOSE_CIRCUIT_BREAKERS = text("""
    UPDATE insights.handlers SET failures_in_row = 0, resume_at = NULL WHERE failures_in_row > 0
""")
# Leases are never ended early: that would make two workers do the same work.
END_BACK_OFFS = text("""
    UPDATE insights.deliveries SET due_at = now()
    WHERE died_at IS NULL AND NOT leased AND due_at > now()
""")


def count_done(engine: Engine, handlers: Iterable[str]) -> int | None:
    """How many deliveries of these handlers are done; None while the database is down."""
    try:
        with engine.connect() as connection:
            return int(connection.scalar(COUNT_DONE, {"handlers": list(handlers)}) or 0)
    except DBAPIError:
        return None


def wait_until_done(engine: Engine) -> float | None:
    """Wait until no delivery is owed; return the seconds it took, None after DONE_TIMEOUT."""
    began = time.monotonic()
    while time.monotonic() - began < DONE_TIMEOUT:
        with suppress(OperationalError), engine.begin() as connection:
            if hurry(connection):
                return round(time.monotonic() - began, 3)
        time.sleep(LOOK_INTERVAL)
    return None


def hurry(connection: Connection) -> bool:
    """Close circuit breakers and end back-offs; return whether no delivery is owed."""
    owed, leased = connection.execute(COUNT_OPEN).one()
    connection.execute(CLOSE_CIRCUIT_BREAKERS)
    # Only once nothing is leased: a delivery that fails until another one is done would use up
    # its attempts.
    if not leased:
        connection.execute(END_BACK_OFFS)
    return bool(owed == 0)


def replay(engine: Engine, handler: str) -> None:
    """Owe a handler its whole history again, and wait until all of it is done."""
    selected, last = Selection(handler=handler), None
    while True:
        with engine.begin() as connection:
            step = owe_history(connection, selected, last)
        if step.last is None:
            break
        last = step.last
    wait_until_done(engine)
