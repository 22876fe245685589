"""The same row writes without an engine: what this PostgreSQL could do at the very best.

One connection, set-based statements, commits after each batch as the product's: the lease's UPDATE
for all handlers, then for each a statement that deletes the deliveries and applies the effect. No
event ever reaches Python.
"""

import time
from datetime import timedelta

from sqlalchemy import Connection, create_engine, text

from benchmarks.backlog import is_owed
from benchmarks.deployment import Deployment, deploy
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.load import publish_predictions
from benchmarks.servers import BenchServers
from benchmarks.verification import verify_effects

BATCH = 500  # deliveries, as the product's handlers
LEASE_TIME = timedelta(seconds=30)

# Arrays of row addresses, because a join by them may be planned as a scan of the whole table.
LEASE = text("""
    UPDATE insights.deliveries SET due_at = now() + :lease_time, leases = leases + 1, leased = true
    WHERE ctid = ANY (ARRAY(
        SELECT due.id FROM unnest(CAST(:handlers AS text[])) AS h (name) CROSS JOIN LATERAL (
            SELECT d.ctid AS id FROM insights.deliveries d
            WHERE d.handler = h.name AND d.died_at IS NULL AND d.due_at <= now()
            ORDER BY d.due_at LIMIT :batch) AS due))
""")
# What was leased at `leased_at`: no earlier lease ends as late.
LEASED = """
    SELECT d.ctid FROM insights.deliveries d
    WHERE d.handler = :handler AND d.died_at IS NULL AND d.due_at >= :leased_at + :lease_time
"""
# Without a lease: deliveries are taken as they fall due.
DUE = """
    SELECT d.ctid FROM insights.deliveries d
    WHERE d.handler = :handler AND d.died_at IS NULL AND d.due_at <= now()
    ORDER BY d.due_at LIMIT :batch
"""
# Deletion and effect are one statement, so that they commit together.
TAKE = """
    WITH taken AS (
        DELETE FROM insights.deliveries d USING insights.events e
        WHERE d.ctid = ANY (ARRAY(%s)) AND e.id = d.event_id
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


def drain(servers: BenchServers, events: int, *, users: int, lease: bool = True) -> float:
    """Events a second; without `lease`, deliveries are taken as they fall due."""
    with deploy(servers, DRAIN_HANDLERS, users) as deployment:
        publish_predictions(deployment, events)
        deployment.analyze_and_checkpoint()
        started = time.perf_counter()
        work(deployment, lease=lease)
        rate = events / (time.perf_counter() - started)
        verify_effects(deployment, DRAIN_HANDLERS)
        return rate


def work(deployment: Deployment, *, lease: bool) -> None:
    """Handle batch after batch until nothing is owed."""
    engine = create_engine(deployment.assembly.settings.postgres_url)
    with engine.connect() as connection:
        while is_owed(deployment):
            parameters: dict[str, object] = {"batch": BATCH, "lease_time": LEASE_TIME}
            if lease:
                parameters["leased_at"] = lease_all(connection)
            for handler in DRAIN_HANDLERS:
                effect = COUNT_USAGE if handler == "usage" else COUNT_ACTIVITY
                statement = text(TAKE % (LEASED if lease else DUE) + effect)
                with connection.begin():
                    connection.execute(statement, parameters | {"handler": handler})
    engine.dispose()


def lease_all(connection: Connection) -> object:
    """Lease a batch for each handler, as the relay does; return when that was."""
    parameters = {"handlers": list(DRAIN_HANDLERS), "batch": BATCH, "lease_time": LEASE_TIME}
    with connection.begin():
        # As the relay: a lease that is lost in a crash is only leased again.
        connection.execute(text("SET LOCAL synchronous_commit = off"))
        at = connection.scalar(text("SELECT now()"))
        connection.execute(LEASE, parameters)
    return at
