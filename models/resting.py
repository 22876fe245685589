"""How a handler rests while its provider is down, and ends its rest."""

from datetime import datetime, timedelta

from sqlalchemy import text

from models.leases import Executor

PATIENCE = 3
FIRST_REST = timedelta(seconds=2)
LONGEST_REST = timedelta(seconds=60)

REST = text("""
    UPDATE insights.handlers
    SET failures_in_row = failures_in_row + 1,
        resume_at = CASE WHEN failures_in_row + 1 >= :patience THEN
            now() + least(:longest, :first * 2 ^ least(failures_in_row + 1 - :patience, 20)) END
    WHERE name = :handler
    RETURNING resume_at
""")

RECOVER = text("""
    UPDATE insights.handlers SET failures_in_row = 0, resume_at = NULL
    WHERE name = :handler AND (failures_in_row > 0 OR resume_at IS NOT NULL)
""")


def rest(on: Executor, handler: str) -> datetime | None:
    """Count a transport failure; after a few in a row, let the handler rest; return until when."""
    given = {"patience": PATIENCE, "first": FIRST_REST, "longest": LONGEST_REST}
    until: datetime | None = on.scalar(REST, given | {"handler": handler})
    return until


def recover(on: Executor, handler: str) -> None:
    """The provider answered: forget its failures and end the rest."""
    on.execute(RECOVER, {"handler": handler})
