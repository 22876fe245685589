"""The circuit breaker of a handler: open while its provider is down, probed, closed again.

Closed: `resume_at` is null. Open: `resume_at` lies in the future, nothing is claimed. Half-open:
`resume_at` has passed, one delivery is claimed as a probe. The whole fleet shares the state.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text

from models.deliveries.lease import Executor

FAILURES_BEFORE_OPEN = 3  # transport failures in a row; fewer would open on a single hiccup
FIRST_PAUSE = timedelta(seconds=2)  # then twice as long after each probe that fails
LONGEST_PAUSE = timedelta(seconds=60)  # an outage that ends is noticed within a minute

# Count a transport failure; from FAILURES_BEFORE_OPEN on, open the circuit, longer each time.
COUNT_FAILURE = text("""
    UPDATE insights.handlers
    SET failures_in_row = failures_in_row + 1,
        resume_at = CASE WHEN failures_in_row + 1 >= :before_open THEN
            now() + least(:longest, :first * 2 ^ least(failures_in_row + 1 - :before_open, 20)) END
    WHERE name = :handler
    RETURNING failures_in_row, resume_at
""")

# Close the circuit. The condition saves a write per batch while all is well.
CLOSE = text("""
    UPDATE insights.handlers SET failures_in_row = 0, resume_at = NULL
    WHERE name = :handler AND (failures_in_row > 0 OR resume_at IS NOT NULL)
""")

# The probe ended without asking the provider: leave the circuit half-open for another one.
PROBE_AGAIN = text("""
    UPDATE insights.handlers SET resume_at = now() WHERE name = :handler AND resume_at IS NOT NULL
""")


class Circuit(NamedTuple):
    """How many transport failures there were in a row, and until when the circuit is open."""

    failures: int
    open_until: datetime | None

    @property
    def just_opened(self) -> bool:
        """Whether the failure that was just counted is the one that opened it."""
        return self.failures == FAILURES_BEFORE_OPEN


def count_failure(on: Executor, handler: str) -> Circuit:
    """Count a transport failure; after a few in a row, open the circuit."""
    given = {
        "before_open": FAILURES_BEFORE_OPEN,
        "first": FIRST_PAUSE,
        "longest": LONGEST_PAUSE,
        "handler": handler,
    }
    row = on.execute(COUNT_FAILURE, given).first()
    return Circuit(*row) if row else Circuit(0, None)


def close(on: Executor, handler: str) -> None:
    """The provider answered: forget its failures and close the circuit."""
    on.execute(CLOSE, {"handler": handler})


def probe_again(on: Executor, handler: str) -> None:
    """Let another delivery probe at once."""
    on.execute(PROBE_AGAIN, {"handler": handler})
