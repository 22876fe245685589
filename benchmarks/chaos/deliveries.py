"""What is still owed in a run: counted, hurried along at the end, and owed again on purpose."""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from handlers import Handler
from models.deliveries.replay import Selection, owe_history

LOOK_INTERVAL = 0.25  # s
DONE_TIMEOUT = 300.0  # s; several times what the longest run has needed

# In one statement, so that all counts are of the same moment. By types, because counting the
# events of each handler one by one would slow the run down.
COUNT = text("""
    SELECT 'published', type, count(*) FROM insights.events GROUP BY type
    UNION ALL
    SELECT 'owed', handler, count(*) FROM insights.delivery_states
    WHERE state <> 'dead' GROUP BY handler
    UNION ALL
    SELECT 'at hand', handler, count(*) FROM insights.delivery_states
    WHERE state IN ('due', 'leased') GROUP BY handler
""")
# Dead letters are judged later, by `compare`.
COUNT_OPEN = text("""
    SELECT count(*) AS owed, count(*) FILTER (WHERE state = 'leased') AS leased
    FROM insights.delivery_states WHERE state <> 'dead'
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


@dataclass(frozen=True)
class Counts:
    """How much of each handler's work was done and is owed at a moment (monotonic seconds).

    `published` is how many events there are, `at_hand` what of the owed waits for nothing but a
    worker.
    """

    at: float
    published: int
    done: Mapping[str, int]
    owed: Mapping[str, int]
    at_hand: Mapping[str, int]

    def total(self, handlers: Iterable[str]) -> int:
        """How much these handlers have done."""
        return sum(self.done[name] for name in handlers)


def count(engine: Engine, handlers: Mapping[str, Handler]) -> Counts | None:
    """Count what these handlers have done and owe; None while the database is down."""
    counted: dict[str, dict[str, int]] = {"published": {}, "owed": {}, "at hand": {}}
    try:
        with engine.connect() as connection:
            for what, name, number in connection.execute(COUNT):
                counted[what][name] = number
    except DBAPIError:
        return None
    owed = {name: counted["owed"].get(name, 0) for name in handlers}
    done = {
        name: sum(counted["published"].get(type_, 0) for type_ in handler.types) - owed[name]
        for name, handler in handlers.items()
    }
    at_hand = {name: counted["at hand"].get(name, 0) for name in handlers}
    published = sum(counted["published"].values())
    return Counts(time.monotonic(), published, done, owed, at_hand)


def wait_until_done(engine: Engine) -> float | None:
    """Wait until no delivery is owed; return the seconds it took, None after DONE_TIMEOUT."""
    began = time.monotonic()
    while time.monotonic() - began < DONE_TIMEOUT:
        with suppress(OperationalError), engine.begin() as connection:
            if hurry(connection):
                return round(time.monotonic() - began, 3)
        time.sleep(LOOK_INTERVAL)
    return None


def close_circuit_breakers(connection: Connection) -> None:
    """Have every handler's work go on at once."""
    connection.execute(CLOSE_CIRCUIT_BREAKERS)


def hurry(connection: Connection) -> bool:
    """Close circuit breakers and end back-offs; return whether no delivery is owed."""
    owed, leased = connection.execute(COUNT_OPEN).one()
    close_circuit_breakers(connection)
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
