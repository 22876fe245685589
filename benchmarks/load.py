"""What is published to be handled, and when its handlers may begin."""

import random
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from benchmarks.site import Site
from events import Event, PredictionMade, publish

AT_ONCE = 1_000
OLD_AT_ONCE = 100_000
CLEAR = (
    """
    TRUNCATE insights.deliveries, insights.usage_ledger, insights.usage_marks,
        public.usage_limits, bench.activity, bench.done
    """,
    "DELETE FROM insights.events WHERE type = 'prediction.made'",
    "VACUUM insights.events",
)
OWED = """
    SELECT EXISTS (
        SELECT FROM insights.handlers h CROSS JOIN LATERAL (
            SELECT FROM insights.deliveries d WHERE d.handler = h.name AND d.died_at IS NULL
            ORDER BY d.due_at DESC LIMIT 1) AS last
        WHERE CAST(:handler AS text) IS NULL OR h.name = :handler)
"""

# Made a month ago, a millisecond apart, their ids in version 7's form.
OLD = text("""
    INSERT INTO insights.events (id, type, source, user_id, data, occurred_at, recorded_at,
                                 correlation_id)
    SELECT id, 'prediction.requested', 'bench', :user,
           '{"model_id": "m", "batch": false, "prediction_count": 1}', at, at, id
    FROM (
        SELECT at, CAST(lpad(to_hex(CAST(extract(epoch FROM at) * 1000 AS bigint)), 12, '0')
            || '7' || substr(md5(random()::text), 1, 3)
            || '8' || substr(md5(random()::text), 1, 15) AS uuid) AS id
        FROM (SELECT now() - interval '30 days' + n * interval '1 millisecond' AS at
              FROM generate_series(CAST(:first AS bigint), :last) AS n) AS times
    ) AS made
""")


def prediction(users: Sequence[UUID], choice: random.Random) -> Event:
    """A prediction that one of the users asked for."""
    return PredictionMade(user_id=choice.choice(users), model_id="m")


def publish_predictions(site: Site, count: int, users: int | None = None) -> None:
    """Publish so many events, each of any of the first `users` users of the site, or of all."""
    choice = random.Random(count)
    chosen = site.users[:users]
    for start in range(0, count, AT_ONCE):
        size = min(AT_ONCE, count - start)
        with site.assembly.sessions.begin() as session:
            publish(session, *(prediction(chosen, choice) for _ in range(size)))


def clear(site: Site) -> None:
    """Forget all predictions and what came of them; old events stay."""
    engine = site.assembly.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in CLEAR:
            connection.execute(text(statement))


def add_old_events(site: Site, count: int) -> None:
    """Insert events of long ago that nobody owes anything."""
    with site.assembly.engine.begin() as connection:
        connection.execute(text("ALTER TABLE insights.events DISABLE TRIGGER fan_out"))
        for start in range(1, count + 1, OLD_AT_ONCE):
            given = {"first": start, "last": min(start + OLD_AT_ONCE - 1, count)}
            connection.execute(OLD, given | {"user": site.users[0]})
        connection.execute(text("ALTER TABLE insights.events ENABLE TRIGGER fan_out"))


def forget_old_events(site: Site) -> None:
    """Empty the table of events."""
    with site.assembly.engine.begin() as connection:
        connection.execute(text("TRUNCATE insights.events"))


def pause(site: Site) -> None:
    """Have no handler begin anything."""
    with site.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.handlers SET paused = true"))


def resume(site: Site) -> None:
    """Have all handlers begin at once."""
    with site.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.handlers SET paused = false"))
    site.assembly.doorbell.ring()


def is_owed(site: Site, handler: str | None = None) -> bool:
    """Whether any delivery is left, or one of a handler; dead ones are the books' affair."""
    return bool(site.ask(OWED, handler=handler)[0])
