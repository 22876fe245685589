"""How a handler rests while its provider is down, and ends its rest."""

from datetime import datetime, timedelta
from typing import NamedTuple

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
    RETURNING failures_in_row, resume_at
""")

RECOVER = text("""
    UPDATE insights.handlers SET failures_in_row = 0, resume_at = NULL
    WHERE name = :handler AND (failures_in_row > 0 OR resume_at IS NOT NULL)
""")


PROBE_AGAIN = text("""
    UPDATE insights.handlers SET resume_at = now() WHERE name = :handler AND resume_at IS NOT NULL
""")


class Rest(NamedTuple):
    """How often a provider was down in a row, and until when its handler rests, if it does."""

    failures: int
    until: datetime | None

    @property
    def begins(self) -> bool:
        """Whether it was this failure that began the rest."""
        return self.failures == PATIENCE


def rest(on: Executor, handler: str) -> Rest:
    """Count a transport failure; after a few in a row, let the handler rest."""
    given = {"patience": PATIENCE, "first": FIRST_REST, "longest": LONGEST_REST}
    row = on.execute(REST, given | {"handler": handler}).first()
    return Rest(*row) if row else Rest(0, None)


def recover(on: Executor, handler: str) -> None:
    """The provider answered: forget its failures and end the rest."""
    on.execute(RECOVER, {"handler": handler})


def probe_again(on: Executor, handler: str) -> None:
    """The probe told nothing of the provider: let another go at once."""
    on.execute(PROBE_AGAIN, {"handler": handler})
