"""One event, one handler, one transaction: what a task does where a message carries one event.

The guarantee is the product's: the dedupe row and the effect commit together, so a message that
comes twice counts once.
"""

import os
from functools import cache
from uuid import UUID

from sqlalchemy import Engine, create_engine, text

from benchmarks.deployment import Deployment
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.verification import verify_effects
from settings import load_settings

DRAIN_TIMEOUT = 600.0  # s

# Marks and reads in one round trip; no row comes back for an event that was handled before.
MARK_DONE = text("""
    WITH first AS (
        INSERT INTO bench.done (handler, event_id) VALUES (:handler, :id)
        ON CONFLICT DO NOTHING RETURNING event_id
    )
    SELECT e.id, e.user_id, CAST(e.data ->> 'prediction_count' AS integer) AS amount, e.occurred_at
    FROM first JOIN insights.events e ON e.id = first.event_id
""")

# The product's own function, for an array of one event: the effect must be the same.
COUNT_USAGE = text("""
    SELECT FROM insights.count_usage(
        ARRAY[CAST(:id AS uuid)], ARRAY[CAST(:user_id AS uuid)], ARRAY['predictions'],
        ARRAY[CAST(:amount AS integer)], ARRAY[CAST(:occurred_at AS timestamptz)])
""")

# What `benchmarks.handlers` does for a batch.
COUNT_ACTIVITY = text("""
    INSERT INTO bench.activity AS a (handler, user_id, count) VALUES (:handler, :user_id, 1)
    ON CONFLICT (handler, user_id) DO UPDATE SET count = a.count + 1
""")

COUNT_DONE = "SELECT count(*) FROM bench.done"
# The first tenth is left out: not all processes may have been up yet.
MEASURE_RATE = """
    SELECT 0.9 * count(*) AS handled, extract(epoch FROM
        max(done_at) - percentile_disc(0.1) WITHIN GROUP (ORDER BY done_at)) AS seconds
    FROM bench.done
"""


@cache
def engine_of(_process_id: int) -> Engine:
    """The engine of one process; children of a fork must not share their parent's connections."""
    return create_engine(load_settings().postgres_url, pool_size=8)


def open_engine() -> Engine:
    """This process's engine, with psycopg's own defaults: statements are prepared."""
    return engine_of(os.getpid())


def handle(handler: str, id_: str) -> None:
    """Handle one event for one handler, unless that was done before."""
    with open_engine().begin() as connection:
        event = connection.execute(MARK_DONE, {"handler": handler, "id": UUID(id_)}).one_or_none()
        if event is None:
            return
        if handler == "usage":
            connection.execute(COUNT_USAGE, dict(event._mapping))  # noqa: SLF001 (public name)
        else:
            connection.execute(COUNT_ACTIVITY, {"handler": handler, "user_id": event.user_id})


def wait_and_measure(deployment: Deployment, events: int) -> float:
    """Wait until all is done; return how many events a second all handlers handled.

    Raises BenchFailed where effects were counted wrong.
    """
    wanted = events * len(DRAIN_HANDLERS)
    deployment.processes.wait_for(
        "the last message", lambda: deployment.query_one(COUNT_DONE)[0] == wanted, DRAIN_TIMEOUT
    )
    verify_effects(deployment, DRAIN_HANDLERS)
    found = deployment.query_one(MEASURE_RATE)
    return float(found.handled) / len(DRAIN_HANDLERS) / float(found.seconds)
