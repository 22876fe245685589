"""What a message of a rival has done: one statement that dedupes and applies the effect.

The guarantee is the product's: what detects a repetition and the effect commit together, so a
message that comes twice counts once. Messages carry all that handlers need of an event, so that
nothing is looked up.
"""

import threading
import time
from collections.abc import Sequence
from typing import TypeAlias

import psycopg
from psycopg import RawCursor
from sqlalchemy import text

from benchmarks.deployment import Deployment
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.verification import verify_effects
from settings import load_settings

Message: TypeAlias = tuple[str, str, int, str]
"""An event's id, its user, the number of its predictions and when they were made."""

DRAIN_TIMEOUT = 600.0  # s
LOOK_INTERVAL = 0.05  # s
WARM_UP_SHARE = 0.1  # of all effects, before the measurement: not all processes may be up yet

# The product's own function, for one event: the effect must be the same. Its ledger dedupes.
COUNT_USAGE = """
    SELECT FROM insights.count_usage(
        ARRAY[CAST($1 AS uuid)], ARRAY[CAST($2 AS uuid)], ARRAY['predictions'],
        ARRAY[CAST($3 AS bigint)], ARRAY[CAST(CAST($4 AS text) AS timestamptz)])
"""
# What `benchmarks.handlers` does for a batch.
COUNT_ACTIVITY = """
    WITH first AS (
        INSERT INTO bench.done (handler, event_id) VALUES (CAST($1 AS text), CAST($2 AS uuid))
        ON CONFLICT DO NOTHING RETURNING event_id
    )
    INSERT INTO bench.activity AS a (handler, user_id, count)
    SELECT CAST($1 AS text), CAST($3 AS uuid), 1 FROM first
    ON CONFLICT (handler, user_id) DO UPDATE SET count = a.count + 1
"""

MESSAGES = text("""
    SELECT CAST(e.id AS text), CAST(e.user_id AS text),
           CAST(e.data ->> 'prediction_count' AS integer), CAST(e.occurred_at AS text)
    FROM insights.events e WHERE e.type = 'prediction.made' ORDER BY e.id
""")
COUNT_EFFECTS = """
    SELECT (SELECT coalesce(sum(count), 0) FROM bench.activity)
         + (SELECT coalesce(sum(predictions_this_month), 0) FROM public.usage_limits)
"""

connections = threading.local()


def messages(deployment: Deployment) -> list[Message]:
    """A message for each prediction that was published, in the order of publishing."""
    with deployment.assembly.engine.connect() as connection:
        return [(id_, user, amount, at) for id_, user, amount, at in connection.execute(MESSAGES)]


def statement(handler: str, message: Message) -> tuple[str, Sequence[object]]:
    """What one handler does with one event, and its parameters; PostgreSQL's own placeholders."""
    id_, user, amount, at = message
    if handler == "usage":
        return COUNT_USAGE, (id_, user, amount, at)
    return COUNT_ACTIVITY, (handler, id_, user)


def handle(handler: str, *message: object) -> None:
    """Handle one event for one handler on this thread's own connection, in one round trip."""
    query, parameters = statement(handler, message)  # type: ignore[arg-type]
    own_cursor().execute(query, parameters)


def own_cursor() -> RawCursor:
    """This thread's cursor: without a pool and an ORM, and psycopg prepares what is repeated."""
    if not hasattr(connections, "cursor"):
        connections.cursor = RawCursor(psycopg.connect(database_url(), autocommit=True))
    cursor: RawCursor = connections.cursor
    return cursor


def database_url() -> str:
    """The database's URL in the form that libpq takes."""
    return load_settings().postgres_url.replace("+psycopg", "", 1)


def wait_and_measure(deployment: Deployment, events: int) -> float:
    """Wait until all is done; return how many events a second all handlers handled.

    Raises BenchFailed where effects were counted wrong.
    """
    wanted = events * len(DRAIN_HANDLERS)
    deployment.processes.wait_for(
        "the first messages",
        lambda: count_effects(deployment) >= wanted * WARM_UP_SHARE,
        DRAIN_TIMEOUT,
    )
    before, started = count_effects(deployment), time.perf_counter()
    deployment.processes.wait_for(
        "the last message", lambda: count_effects(deployment) >= wanted, DRAIN_TIMEOUT
    )
    seconds = time.perf_counter() - started
    verify_effects(deployment, DRAIN_HANDLERS)
    return (wanted - before) / len(DRAIN_HANDLERS) / seconds


def count_effects(deployment: Deployment) -> int:
    """How many effects there are by now, of all handlers together."""
    return int(deployment.query_one(COUNT_EFFECTS)[0])
