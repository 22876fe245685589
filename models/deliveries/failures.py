"""What was not done: charged with an attempt, put off because of its provider, or dead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from models import arrays
from models.deliveries.lease import Executor, Lease, columns

# Back-off after a failure: 5 s, 10 s, 20 s … 1 h, each by half more or less at random, so that
# what failed together does not come back together.
FIRST_BACK_OFF = timedelta(seconds=5)
LONGEST_BACK_OFF = timedelta(hours=1)
# After a setback: 1 s, 4 s, 16 s … 1 h. Faster growth, since nothing limits how often.
FIRST_SETBACK = timedelta(seconds=1)
SETBACKS_BEFORE_REPORT = 4
"""Batches shrink by 8 at each setback: from here on a delivery of a batch of 500 goes alone."""


@dataclass(frozen=True)
class Failure:
    """What becomes of one delivery that was not done.

    `charge` is how many attempts it costs (-1 gives one back that was charged first). Where
    `after` is None the back-off decides when it is due again.
    """

    lease: Lease
    error: str
    charge: int = 1
    dead: bool = False
    after: timedelta | None = None


# Charge an attempt before it begins. The condition on `leased` makes a second copy of the same
# message charge nothing.
CHARGE = text("""
    UPDATE insights.deliveries d
    SET attempts = attempts + 1,
        last_error = 'The worker process died while it handled this event.',
        died_at = CASE WHEN attempts >= :max_attempts THEN now() END,
        leased = attempts < :max_attempts
    FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS integer[])) AS o (id, token)
    WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.token AND d.leased
    RETURNING d.event_id, d.died_at IS NOT NULL AS dead
""")

# Write failures: the attempt, the back-off, or the death, by the database's clock alone.
RECORD = text("""
    UPDATE insights.deliveries d
    SET leased = false,
        attempts = d.attempts + f.charge,
        last_error = f.error,
        died_at = CASE WHEN f.dead OR d.attempts + f.charge >= :max_attempts AND f.after IS NULL
                       THEN now() END,
        due_at = now() + coalesce(f.after, (0.5 + random()) * least(
            :longest, :first * 2 ^ least(d.attempts + f.charge - 1, 30)))
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:tokens AS integer[]), CAST(:charges AS integer[]),
        CAST(:errors AS text[]), CAST(:deads AS boolean[]), CAST(:afters AS interval[])
    ) AS f (id, token, charge, error, dead, after)
    WHERE d.handler = :handler AND d.event_id = f.id AND d.leases = f.token AND d.leased
    RETURNING d.event_id, d.died_at IS NOT NULL AS dead
""")

# Put off because the provider is down: no attempt is spent, whatever the outage's length.
DEFER = text("""
    UPDATE insights.deliveries d
    SET leased = false,
        due_at = now() + least(:longest, :first * 4 ^ least(d.setbacks, 6)),
        setbacks = d.setbacks + CAST(:setback AS integer),
        attempts = greatest(0, d.attempts - :refund),
        last_error = :error
    FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS integer[])) AS o (id, token)
    WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.token AND d.leased
    RETURNING CASE WHEN :setback THEN setbacks ELSE 0 END
""")

# Forget what is owed to events that were pruned or erased: it would go round for ever.
FORGET_ORPHANS = text("""
    DELETE FROM insights.deliveries d
    USING unnest(CAST(:ids AS uuid[]), CAST(:tokens AS integer[])) AS o (id, token)
    WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.token AND d.leased
      AND NOT EXISTS (SELECT FROM insights.events e WHERE e.id = o.id)
""")


def charge(
    on: Executor, handler: str, leases: Sequence[Lease], max_attempts: int
) -> dict[UUID, bool]:
    """Charge an attempt before it begins, for work that may kill its process.

    Returns, for each that is still owed, whether it has been tried too often and is dead now.
    """
    given = {"handler": handler, "max_attempts": max_attempts}
    return {row.event_id: row.dead for row in on.execute(CHARGE, given | columns(leases))}


def record(
    on: Executor, handler: str, failures: Sequence[Failure], max_attempts: int
) -> dict[UUID, bool]:
    """Write failures; return, for each that was still leased, whether it is dead now."""
    given = {
        "handler": handler,
        "max_attempts": max_attempts,
        "first": FIRST_BACK_OFF,
        "longest": LONGEST_BACK_OFF,
        "charges": arrays.plain(failure.charge for failure in failures),
        "errors": arrays.texts(failure.error for failure in failures),
        "deads": arrays.plain(failure.dead for failure in failures),
        "afters": [failure.after for failure in failures],
    }
    rows = on.execute(RECORD, given | columns(failure.lease for failure in failures))
    return {row.event_id: row.dead for row in rows}


def defer(
    on: Executor,
    handler: str,
    leases: Sequence[Lease],
    error: str,
    *,
    setback: bool,
    refund: int = 0,
) -> int:
    """Put deliveries off because of their provider: due again after a moment, at no attempt.

    A `setback` is an outage for these alone, while the provider answers others. With each setback
    they go out in smaller batches and later, so that neighbours get away from the one that is to
    blame, and that one comes to be tried once an hour. Returns how many setbacks the first of them
    has had, 0 where this was none.
    """
    given = {"handler": handler, "refund": refund, "error": error, "setback": setback}
    pauses = {"first": FIRST_SETBACK, "longest": LONGEST_BACK_OFF}
    return int(on.scalar(DEFER, given | pauses | columns(leases)) or 0)


def forget_orphans(on: Executor, handler: str, leases: Sequence[Lease]) -> None:
    """Delete deliveries whose event is gone."""
    on.execute(FORGET_ORPHANS, {"handler": handler} | columns(leases))
