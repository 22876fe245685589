"""What was not done: charged with an attempt, put off, given back, or dead."""

from collections.abc import Iterable, Sequence
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
"""Company shrinks by 8 at each setback: from here on a delivery of a batch of 500 goes alone."""


@dataclass(frozen=True)
class Failure:
    """What becomes of one delivery that was not done.

    `charge` is how many attempts it costs. Where `after` is None the back-off decides when it is
    due again.
    """

    lease: Lease
    error: str
    charge: int = 1
    dead: bool = False
    after: timedelta | None = None


# Write failures: the attempt, the back-off, or the death, by the database's clock alone.
RECORD = text("""
    WITH mine AS MATERIALIZED (
        SELECT f.*, d.tid
        FROM unnest(
            CAST(:ids AS uuid[]), CAST(:tokens AS integer[]), CAST(:charges AS integer[]),
            CAST(:errors AS text[]), CAST(:deads AS boolean[]), CAST(:afters AS interval[])
        ) AS f (id, token, charge, error, dead, after)
        CROSS JOIN LATERAL (
            SELECT d.ctid AS tid FROM insights.deliveries d
            WHERE d.handler = (SELECT h.id FROM insights.handlers h WHERE h.name = :handler)
              AND d.event_id = f.id AND d.leases = f.token AND d.leased
            LIMIT 1
        ) d
    )
    UPDATE insights.deliveries d
    SET leased = false,
        attempts = d.attempts + m.charge,
        last_error = m.error,
        died_at = CASE WHEN m.dead OR d.attempts + m.charge >= :max_attempts AND m.after IS NULL
                       THEN now() END,
        due_at = now() + coalesce(m.after, (0.5 + random()) * least(
            :longest, :first * 2 ^ least(d.attempts + m.charge - 1, 30)))
    FROM mine m
    WHERE d.ctid = ANY (ARRAY(SELECT n.tid FROM mine n)) AND d.event_id = m.id
      AND d.leases = m.token AND d.leased
    RETURNING d.event_id, d.died_at IS NOT NULL AS dead
""")

# Put off because of the provider or another transaction: no attempt is spent, whatever the
# outage's length.
DEFER = text("""
    WITH mine AS MATERIALIZED (
        SELECT d.tid FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS integer[])) AS o (id, token)
        CROSS JOIN LATERAL (
            SELECT d.ctid AS tid FROM insights.deliveries d
            WHERE d.handler = (SELECT h.id FROM insights.handlers h WHERE h.name = :handler)
              AND d.event_id = o.id AND d.leases = o.token AND d.leased
            LIMIT 1
        ) d
    )
    UPDATE insights.deliveries d
    SET leased = false,
        due_at = now() + least(:longest, :first * 4 ^ least(d.setbacks, 6)),
        setbacks = d.setbacks + CAST(:setback AS integer),
        last_error = :error
    WHERE d.ctid = ANY (ARRAY(SELECT m.tid FROM mine m)) AND d.leased
    RETURNING d.event_id, CASE WHEN :setback THEN d.setbacks ELSE 0 END AS setbacks
""")

# Give back what a batch had in hand and nobody is at work on: under a new token, so that whoever
# began it, and should wake up, ends nothing. Due now, or after the pause of a failure or a setback:
# what kills its process or its transaction must not do so again within a second. What has had its
# outcome meanwhile (it is gone, dead, or due later and not leased) stays as it is, and so does what
# is locked.
GIVE_BACK = text("""
    WITH mine AS MATERIALIZED (
        SELECT d.tid FROM unnest(CAST(:ids AS uuid[])) AS o (id) CROSS JOIN LATERAL (
            SELECT d.ctid AS tid FROM insights.deliveries d
            WHERE d.handler = :handler AND d.event_id = o.id AND d.died_at IS NULL
              AND d.waits_for IS NULL AND (d.leased OR d.due_at IS NULL OR d.due_at <= now())
            LIMIT 1 FOR UPDATE SKIP LOCKED
        ) d
    )
    UPDATE insights.deliveries d
    SET leased = false, leases = d.leases + 1,
        due_at = now() + CASE
            WHEN :charge THEN least(:longest, :first * 2 ^ least(d.attempts, 30))
            WHEN :setback THEN least(:longest, :first_setback * 4 ^ least(d.setbacks, 6))
            ELSE interval '0' END,
        setbacks = d.setbacks + CAST(:setback AS integer),
        attempts = d.attempts + CAST(:charge AS integer),
        last_error = coalesce(:error, d.last_error)
    WHERE d.ctid = ANY (ARRAY(SELECT m.tid FROM mine m))
    RETURNING d.event_id
""")


def record(
    on: Executor, handler: str, failures: Sequence[Failure], max_attempts: int
) -> dict[UUID, bool]:
    """Write failures; return, for each that was still leased, whether it is dead now."""
    written: dict[UUID, bool] = {}
    # Twice, as in claim.finish: a lease may just be renewed.
    for _ in range(2):
        missing = [each for each in failures if each.lease.event_id not in written]
        if missing:
            given = failure_columns(missing) | {"handler": handler, "max_attempts": max_attempts}
            written |= {row.event_id: row.dead for row in on.execute(RECORD, given)}
    return written


def failure_columns(failures: Sequence[Failure]) -> dict[str, object]:
    """The parameters of RECORD that describe the failures."""
    return {
        "first": FIRST_BACK_OFF,
        "longest": LONGEST_BACK_OFF,
        "charges": arrays.plain(failure.charge for failure in failures),
        "errors": arrays.texts(failure.error for failure in failures),
        "deads": arrays.plain(failure.dead for failure in failures),
        "afters": [failure.after for failure in failures],
    } | columns(failure.lease for failure in failures)


def defer(on: Executor, handler: str, leases: Sequence[Lease], error: str, *, setback: bool) -> int:
    """Put deliveries off: due again after a moment, at no attempt.

    A `setback` is trouble for these alone, while others go well. With each setback they go out in
    smaller batches and later, so that neighbours get away from the one that is to blame, and that
    one comes to be tried once an hour. Returns how many setbacks the first of them has had, 0
    where this was none.
    """
    given = {"handler": handler, "error": error, "setback": setback}
    pauses = {"first": FIRST_SETBACK, "longest": LONGEST_BACK_OFF}
    deferred: dict[UUID, int] = {}
    for _ in range(2):
        missing = [each for each in leases if each.event_id not in deferred]
        if missing:
            rows = on.execute(DEFER, given | pauses | columns(missing))
            deferred |= {row.event_id: row.setbacks for row in rows}
    return max(deferred.values(), default=0)


def give_back(
    on: Executor,
    handler_id: int,
    ids: Iterable[UUID],
    *,
    setback: bool = False,
    charge: bool = False,
    error: str | None = None,
) -> set[UUID]:
    """Make due again what a batch had in hand; return the ids of what was.

    `setback`: it goes on after a pause, in smaller company. `charge`: an attempt is spent, since it
    was alone.
    """
    given = {"handler": handler_id, "ids": arrays.uuids(ids), "error": error}
    pauses = {"first": FIRST_BACK_OFF, "first_setback": FIRST_SETBACK, "longest": LONGEST_BACK_OFF}
    why = {"setback": setback, "charge": charge}
    return set(on.scalars(GIVE_BACK, given | pauses | why))
