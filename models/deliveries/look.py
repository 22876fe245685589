"""A look at what is due, at a cost that does not grow with how much is owed."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text


class Due(NamedTuple):
    """What one handler may be given now, counted up to a bound beyond what is in hand.

    `at_once` has never been tried, `first` and `last` are its order; `later` was put off until
    now, from `later_first` to `later_last`. `in_hand` is how much of `at_once` and `later` open
    transactions hold. `is_half_open`: one delivery may probe the provider.
    """

    handler: str
    is_half_open: bool
    at_once: int
    first: int | None
    last: int | None
    later: int
    later_first: datetime | None
    later_last: datetime | None
    in_hand: int

    @property
    def free(self) -> int:
        """How many deliveries a worker could take."""
        found = max(0, self.at_once + self.later - self.in_hand)
        return min(found, 1) if self.is_half_open else found


# Look at the heads of the indexes of what is due, per handler up to a bound. What open transactions
# have in hand stands there, too, until they commit: the bound is for what is behind it. Handlers
# that are paused, off, or whose circuit is open are left out.
LOOK = text("""
    SELECT h.name, h.resume_at IS NOT NULL, o.many, o.first, o.last, l.many, l.first, l.last,
           b.events
    FROM unnest(CAST(:names AS text[]), CAST(:bounds AS integer[])) AS w (name, bound)
    JOIN insights.handlers h ON h.name = w.name
    JOIN insights.handlers_on n ON n.name = w.name
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(b.events), 0) AS events FROM insights.batches_in_hand b
        WHERE b.handler = h.id AND b.lease IS NULL
    ) b
    CROSS JOIN LATERAL (
        SELECT count(*) AS many, min(d.seq) AS first, max(d.seq) AS last FROM (
            SELECT d.seq FROM insights.deliveries d
            WHERE d.handler = h.id AND d.due_at IS NULL
              AND d.died_at IS NULL AND d.waits_for IS NULL
            ORDER BY d.handler, d.seq LIMIT w.bound + b.events
        ) d
    ) o
    CROSS JOIN LATERAL (
        SELECT count(*) AS many, min(d.due_at) AS first, max(d.due_at) AS last
        FROM generate_series(0, 4) AS k (setbacks) CROSS JOIN LATERAL (
            SELECT d.due_at FROM insights.deliveries d
            WHERE d.handler = h.id AND least(d.setbacks, 4) = k.setbacks AND d.due_at <= now()
              AND d.died_at IS NULL AND d.waits_for IS NULL
            ORDER BY d.handler, least(d.setbacks, 4), d.due_at LIMIT w.bound + b.events
        ) d
    ) l
    WHERE NOT h.paused AND (h.resume_at IS NULL OR h.resume_at <= now())
      AND (o.many > 0 OR l.many > 0)
""")


def look(on: Connection, bounds: Mapping[str, int]) -> list[Due]:
    """What is due for these handlers, counted up to the bound of each; those without are absent."""
    given = {"names": list(bounds), "bounds": list(bounds.values())}
    return list(map(Due._make, on.execute(LOOK, given)))
