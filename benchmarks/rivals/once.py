"""One event, one handler, one transaction: what a task does where a message carries one event.

The guarantee is ours: the dedupe row and the effect commit together, so a message that comes
twice counts once.
"""

import os
from functools import cache
from uuid import UUID

from sqlalchemy import Engine, create_engine, text

from benchmarks.books import balance
from benchmarks.ours import HANDLERS
from benchmarks.site import Site
from settings import load_settings

ONCE = text("""
    WITH first AS (
        INSERT INTO bench.done (handler, event_id) VALUES (:handler, :id)
        ON CONFLICT DO NOTHING RETURNING event_id
    )
    SELECT e.id, e.user_id, CAST(e.data ->> 'prediction_count' AS integer) AS amount, e.occurred_at
    FROM first JOIN insights.events e ON e.id = first.event_id
""")

USAGE = text("""
    SELECT FROM insights.count_usage(
        ARRAY[CAST(:id AS uuid)], ARRAY[CAST(:user_id AS uuid)], ARRAY['predictions'],
        ARRAY[CAST(:amount AS integer)], ARRAY[CAST(:occurred_at AS timestamptz)])
""")

ACTIVITY = text("""
    INSERT INTO bench.activity AS a (handler, user_id, count) VALUES (:handler, :user_id, 1)
    ON CONFLICT (handler, user_id) DO UPDATE SET count = a.count + 1
""")

DONE = "SELECT count(*) FROM bench.done"
# The first tenth is left out: not all processes may have been up yet.
PACE = """
    SELECT 0.9 * count(*) AS handled, extract(epoch FROM
        max(done_at) - percentile_disc(0.1) WITHIN GROUP (ORDER BY done_at)) AS seconds
    FROM bench.done
"""


@cache
def engine_of(_process: int) -> Engine:
    """The engine of one process; children of a fork must not share their parent's."""
    return create_engine(load_settings().postgres_url, pool_size=8)


def open_engine() -> Engine:
    """This process's engine, with psycopg's own defaults: statements are prepared."""
    return engine_of(os.getpid())


def handle(handler: str, id_: str) -> None:
    """Handle one event for one handler, unless that was done before."""
    with open_engine().begin() as connection:
        event = connection.execute(ONCE, {"handler": handler, "id": UUID(id_)}).one_or_none()
        if event is None:
            return
        given = dict(event._mapping)  # noqa: SLF001 (SQLAlchemy's public name for it)
        if handler == "usage":
            connection.execute(USAGE, given)
        else:
            connection.execute(ACTIVITY, {"handler": handler, "user_id": event.user_id})


def rate(at: Site, events: int) -> float:
    """Wait until all is done; return how many events a second all handlers handled."""
    wanted = events * len(HANDLERS)
    at.processes.wait_for("the last message", lambda: at.ask(DONE)[0] == wanted, 600)
    balance(at, HANDLERS)
    pace = at.ask(PACE)
    return float(pace.handled) / len(HANDLERS) / float(pace.seconds)
