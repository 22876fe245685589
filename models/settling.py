"""What becomes of deliveries that are not done: charged, put off, put back, released, dead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from models import arrays
from models.leases import Executor, Owed, columns, owed_by

FIRST_BACK_OFF = timedelta(seconds=5)
LONGEST_BACK_OFF = timedelta(hours=1)
FIRST_SETBACK = timedelta(seconds=1)
SETBACKS_TO_TELL = 4
"""From here on a delivery goes alone, and still its provider is out of order for it."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of a delivery that is not done."""

    owed: Owed
    error: str
    charge: int = 1
    dead: bool = False
    after: timedelta | None = None


PUT_BACK = text("""
    INSERT INTO insights.deliveries (handler, event_id, leases, attempts, leased)
    SELECT :handler, o.* , true
    FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS integer[]), CAST(:attempts AS integer[])) o
""")

CHARGE = text("""
    UPDATE insights.deliveries d
    SET attempts = attempts + 1,
        last_error = 'The worker process died while it handled this event.',
        died_at = CASE WHEN attempts >= :max_attempts THEN now() END,
        leased = attempts < :max_attempts
    FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS integer[])) AS o (id, lease)
    WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.lease AND d.leased
    RETURNING d.event_id, d.died_at IS NOT NULL AS dead
""")

SETTLE = text("""
    UPDATE insights.deliveries d
    SET leased = false,
        attempts = d.attempts + v.charge,
        last_error = v.error,
        died_at = CASE WHEN v.dead OR d.attempts + v.charge >= :max_attempts AND v.after IS NULL
                       THEN now() END,
        due_at = now() + coalesce(v.after, (0.5 + random()) * least(
            :longest, :first * 2 ^ least(d.attempts + v.charge - 1, 30)))
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:leases AS integer[]), CAST(:charges AS integer[]),
        CAST(:errors AS text[]), CAST(:deads AS boolean[]), CAST(:afters AS interval[])
    ) AS v (id, lease, charge, error, dead, after)
    WHERE d.handler = :handler AND d.event_id = v.id AND d.leases = v.lease AND d.leased
    RETURNING d.event_id, d.died_at IS NOT NULL AS dead
""")

RELEASE = text("""
    UPDATE insights.deliveries d
    SET leased = :again, due_at = now(), attempts = greatest(0, d.attempts - :refund)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS integer[])) AS o (id, lease)
    WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.lease AND d.leased
""")

PUT_OFF = text("""
    UPDATE insights.deliveries d
    SET leased = false,
        due_at = now() + least(:longest, :first * 4 ^ least(d.setbacks, 6)),
        setbacks = d.setbacks + CAST(:setback AS integer),
        attempts = greatest(0, d.attempts - :refund),
        last_error = :error
    FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS integer[])) AS o (id, lease)
    WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.lease AND d.leased
    RETURNING CASE WHEN :setback THEN setbacks ELSE 0 END
""")

FORGET = text("""
    DELETE FROM insights.deliveries d
    USING unnest(CAST(:ids AS uuid[]), CAST(:leases AS integer[])) AS o (id, lease)
    WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.lease AND d.leased
      AND NOT EXISTS (SELECT FROM insights.events e WHERE e.id = o.id)
""")


def charge(on: Executor, handler: str, owed: Sequence[Owed], max_attempts: int) -> dict[UUID, bool]:
    """Count an attempt before it begins, for work that may kill its process.

    Returns, for each that is still owed, whether it has been tried too often and is dead now.
    """
    given = {"handler": handler, "max_attempts": max_attempts}
    return {row.event_id: row.dead for row in on.execute(CHARGE, given | columns(owed))}


def settle(
    on: Executor, handler: str, verdicts: Sequence[Verdict], max_attempts: int
) -> dict[UUID, bool]:
    """Write what becomes of deliveries that are not done; return whether each is dead now."""
    given = {
        "handler": handler,
        "max_attempts": max_attempts,
        "first": FIRST_BACK_OFF,
        "longest": LONGEST_BACK_OFF,
        "charges": arrays.plain(verdict.charge for verdict in verdicts),
        "errors": arrays.texts(verdict.error for verdict in verdicts),
        "deads": arrays.plain(verdict.dead for verdict in verdicts),
        "afters": [verdict.after for verdict in verdicts],
    }
    rows = on.execute(SETTLE, given | columns(verdict.owed for verdict in verdicts))
    return {row.event_id: row.dead for row in rows}


def put_back(on: Executor, handler: str, rows: Sequence[Row[Any]]) -> None:
    """Undo `take` for some rows of its own transaction."""
    given = columns(owed_by(rows))
    attempts = arrays.plain(row.attempts for row in rows)
    on.execute(PUT_BACK, {"handler": handler, "attempts": attempts} | given)


def release(
    on: Executor, handler: str, owed: Sequence[Owed], *, refund: int = 0, again: bool = False
) -> None:
    """Give deliveries back unhandled: due at once, at no attempt.

    `again` keeps in mind that an earlier hand-out had no outcome.
    """
    on.execute(RELEASE, {"handler": handler, "refund": refund, "again": again} | columns(owed))


def put_off(
    on: Executor,
    handler: str,
    owed: Sequence[Owed],
    error: str,
    *,
    setback: bool,
    refund: int = 0,
) -> int:
    """Put deliveries off because of their provider: due after a moment, at no attempt.

    A `setback` is an outage for these alone, while the provider answers others. At each, they
    go out in smaller batches and after a longer while, so that neighbours get away from the one
    that is to blame, and that one comes to be tried once an hour. Returns how many setbacks the
    first of them has had, 0 where this was none.
    """
    given = {"handler": handler, "refund": refund, "error": error, "setback": setback}
    pauses = {"first": FIRST_SETBACK, "longest": LONGEST_BACK_OFF}
    return int(on.scalar(PUT_OFF, given | pauses | columns(owed)) or 0)


def forget_orphans(on: Executor, handler: str, owed: Sequence[Owed]) -> None:
    """Forget what is owed to events that are no longer there: nobody can do it."""
    on.execute(FORGET, {"handler": handler} | columns(owed))
