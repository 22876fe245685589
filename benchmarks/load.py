"""The events of measurements, and the tables emptied before them."""

import random
from collections.abc import Iterable, Sequence
from itertools import islice
from uuid import UUID

from sqlalchemy import text

from benchmarks.deployment import Deployment
from events import Event, PredictionMade, publish

PUBLISHED_AT_ONCE = 1_000  # events in one transaction
INSERTED_AT_ONCE = 100_000  # old events in one statement
# VACUUM, so that dead rows of the drain before do not slow down this one.
CLEAR = (
    """
    TRUNCATE insights.deliveries, insights.usage_ledger, insights.usage_marks,
        public.usage_limits, bench.activity, bench.done
    """,
    "DELETE FROM insights.events WHERE type = 'prediction.made'",
    "VACUUM insights.events;",  # the semicolon: see models/driver.py
)

# A month old, a millisecond apart, under ids of version 7, as if they had been published then.
INSERT_OLD = text("""
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
    """A prediction of a random one of the users."""
    return PredictionMade(user_id=choice.choice(users), model_id="m")


def publish_predictions(deployment: Deployment, count: int, users: int | None = None) -> None:
    """Publish `count` events, each of one of the first `users` users, or of all."""
    choice = random.Random(count)
    chosen = deployment.users[:users]
    publish_in_chunks(deployment, (prediction(chosen, choice) for _ in range(count)))


def publish_in_chunks(deployment: Deployment, events: Iterable[Event]) -> None:
    """Publish any number of events, so many in a transaction that none is too large."""
    remaining = iter(events)
    while chunk := list(islice(remaining, PUBLISHED_AT_ONCE)):
        with deployment.assembly.sessions.begin() as session:
            publish(session, *chunk)


def clear(deployment: Deployment) -> None:
    """Delete all predictions and what came of them; old events stay."""
    engine = deployment.assembly.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in CLEAR:
            connection.execute(text(statement))


def insert_old_events(deployment: Deployment, count: int) -> None:
    """Insert events of a month ago for which no delivery is owed."""
    with deployment.assembly.engine.begin() as connection:
        connection.execute(text("ALTER TABLE insights.events DISABLE TRIGGER fan_out"))
        for start in range(1, count + 1, INSERTED_AT_ONCE):
            numbers = {"first": start, "last": min(start + INSERTED_AT_ONCE - 1, count)}
            connection.execute(INSERT_OLD, numbers | {"user": deployment.users[0]})
        connection.execute(text("ALTER TABLE insights.events ENABLE TRIGGER fan_out"))


def delete_all_events(deployment: Deployment) -> None:
    with deployment.assembly.engine.begin() as connection:
        connection.execute(text("TRUNCATE insights.events"))
