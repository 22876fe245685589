"""The same row writes without an engine: what this PostgreSQL could do at the very best.

One connection and a table of debts that has nothing but its key. Each statement deletes a batch of
debts and applies the effect, and commits. No event ever reaches Python.
"""

import time

from sqlalchemy import Connection, text

from benchmarks.deployment import Deployment, deploy
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.load import publish_predictions
from benchmarks.servers import BenchServers
from benchmarks.verification import verify_effects

BATCH = 500  # debts, as the product's handlers

OWE = text("""
    INSERT INTO bench.owed (handler, event_id)
    SELECT h.name, e.id FROM unnest(CAST(:handlers AS text[])) AS h (name), insights.events e
    ORDER BY h.name, e.id
""")
# Row addresses as an array, because a join by them may be planned as a scan of the whole table.
TAKE = """
    WITH taken AS (
        DELETE FROM bench.owed d USING insights.events e
        WHERE e.id = d.event_id AND d.ctid = ANY (ARRAY(
            SELECT o.ctid FROM bench.owed o WHERE o.handler = :handler
            ORDER BY o.event_id LIMIT :batch))
        RETURNING e.id, e.user_id, e.data, e.occurred_at
    )
"""
# As the product's function does it, without its checks of limits.
COUNT_USAGE = """
    , counted AS (
        INSERT INTO insights.usage_ledger AS l (event_id, user_id, resource, amount, month)
        SELECT t.id, t.user_id, 'predictions', CAST(t.data ->> 'prediction_count' AS integer),
               to_char(t.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM')
        FROM taken t ON CONFLICT (event_id) DO NOTHING
        RETURNING l.user_id, l.amount, l.month
    )
    INSERT INTO public.usage_limits AS u (user_id, predictions_this_month, month_year)
    SELECT c.user_id, sum(c.amount), max(c.month) FROM counted c GROUP BY c.user_id ORDER BY 1
    ON CONFLICT (user_id) DO UPDATE SET
        predictions_this_month = u.predictions_this_month + excluded.predictions_this_month,
        month_year = greatest(u.month_year, excluded.month_year), updated_at = now()
"""
# As `benchmarks.handlers` does it.
COUNT_ACTIVITY = """
    INSERT INTO bench.activity AS a (handler, user_id, count)
    SELECT :handler, t.user_id, count(*) FROM taken t GROUP BY t.user_id ORDER BY 2
    ON CONFLICT (handler, user_id) DO UPDATE SET count = a.count + excluded.count
"""


def drain(servers: BenchServers, events: int, *, users: int) -> float:
    """Events a second."""
    with deploy(servers, users=users) as deployment:
        publish_predictions(deployment, events)
        owe(deployment)
        deployment.analyze_and_checkpoint()
        started = time.perf_counter()
        work(deployment)
        rate = events / (time.perf_counter() - started)
        verify_effects(deployment, DRAIN_HANDLERS)
        return rate


def owe(deployment: Deployment) -> None:
    """Have each handler of a drain owe every event."""
    with deployment.assembly.engine.begin() as connection:
        connection.execute(OWE, {"handlers": list(DRAIN_HANDLERS)})
        connection.execute(text("ANALYZE bench.owed"))


def work(deployment: Deployment) -> None:
    """Handle batch after batch until nothing is owed."""
    remaining = list(DRAIN_HANDLERS)
    with deployment.assembly.engine.connect() as connection:
        while remaining:
            remaining = [name for name in remaining if handle_batch(connection, name)]


def handle_batch(connection: Connection, handler: str) -> bool:
    """Handle a batch of one handler; False if it owed nothing."""
    effect = COUNT_USAGE if handler == "usage" else COUNT_ACTIVITY
    with connection.begin():
        done = connection.execute(text(TAKE + effect), {"handler": handler, "batch": BATCH})
    return done.rowcount > 0
