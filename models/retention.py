"""How many events are old enough to be forgotten."""

from datetime import timedelta

from sqlalchemy import Connection, text

OLD = text("""
    SELECT count(*) FROM insights.events e
    WHERE e.recorded_at < now() - CAST(:age AS interval)
      AND e.type NOT IN (SELECT t.type FROM insights.event_types t
                         WHERE t.schema -> 'x-kept' = 'true')
      AND NOT EXISTS (
        SELECT FROM insights.deliveries d
        WHERE d.event_id = e.id AND d.handler IN (SELECT name FROM insights.handlers))
""")


def count_old(on: Connection, age: timedelta) -> int:
    """How many events older than `age` nobody owes anything for."""
    return int(on.execute(OLD, {"age": age}).scalar_one())
