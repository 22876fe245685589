"""When all faults have ended: time is helped along, and it must all get done."""

import time
from contextlib import suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

LOOK_EVERY = 0.25
WITHIN = 300.0

OPEN = text("""
    SELECT count(*) AS owed, count(*) FILTER (WHERE leased) AS leased
    FROM insights.deliveries WHERE died_at IS NULL
""")
END_RESTS = text("""
    UPDATE insights.handlers SET failures_in_row = 0, resume_at = NULL WHERE failures_in_row > 0
""")
END_BACK_OFFS = text("""
    UPDATE insights.deliveries SET due_at = now()
    WHERE died_at IS NULL AND NOT leased AND due_at > now()
""")


def settle(engine: Engine) -> float | None:
    """Wait until nothing is owed; return how long it took (s), None if it is not to be.

    Rests and back-offs are ended early, leases never. Back-offs only once nothing is leased: an
    event that fails until another is handled should not use up its attempts on that.
    """
    began = time.monotonic()
    while time.monotonic() - began < WITHIN:
        with suppress(OperationalError), engine.begin() as connection:
            if is_done(connection):
                return round(time.monotonic() - began, 3)
        time.sleep(LOOK_EVERY)
    return None


def is_done(connection: Connection) -> bool:
    """Whether nothing is owed; help along if something is."""
    owed, leased = connection.execute(OPEN).one()
    connection.execute(END_RESTS)
    if not leased:
        connection.execute(END_BACK_OFFS)
    return bool(owed == 0)
