"""A consumer written by hand over queue tables like pgmq's.

The tables and what happens to their rows are pgmq's: a table for each queue, read with a
visibility time-out. Each process (`python -m benchmarks.rivals.queue_tables`) reads 500 messages of
a queue, has one statement dedupe, apply the effect and delete them, and goes on with the next
queue. It has no back-off, no dead letters, no pause, no isolation of a message that fails, and no
order between handlers.

A process prints `ready`, and `done` for each line of its input, once it found all queues empty.
"""

import sys
import time
from itertools import cycle

import psycopg
from psycopg import Connection, RawCursor
from sqlalchemy import text

from benchmarks.backlog import WARM_UP_EVENTS
from benchmarks.deployment import Deployment, deploy
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.load import clear, publish_predictions
from benchmarks.processes import read_line, write_line
from benchmarks.rivals.effects import database_url
from benchmarks.servers import BenchServers
from benchmarks.verification import verify_effects
from models import arrays

BATCH = 500  # messages, as the product's handlers
VISIBILITY_TIMEOUT = 30  # s

CREATE = """
    CREATE TABLE bench.q_{name} (
        msg_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        read_ct integer DEFAULT 0 NOT NULL,
        enqueued_at timestamptz DEFAULT now() NOT NULL,
        last_read_at timestamptz,
        vt timestamptz NOT NULL,
        message jsonb,
        headers jsonb
    );
    CREATE INDEX ON bench.q_{name} (vt);
"""
# A message carries all that a handler needs of an event, so that nothing is looked up.
SEND = """
    INSERT INTO bench.q_{name} (vt, message)
    SELECT clock_timestamp(), jsonb_build_object(
        'id', e.id, 'user', e.user_id, 'amount', e.data -> 'prediction_count', 'at', e.occurred_at)
    FROM insights.events e WHERE e.type = 'prediction.made' ORDER BY e.id
"""
# Row addresses as an array: pgmq's own join by msg_id is planned as a scan of the whole table.
READ = """
    UPDATE bench.q_{name} m
    SET last_read_at = clock_timestamp(), read_ct = read_ct + 1,
        vt = clock_timestamp() + make_interval(secs => $2)
    WHERE m.ctid = ANY (ARRAY(
        SELECT ctid FROM bench.q_{name} WHERE vt <= clock_timestamp()
        ORDER BY msg_id LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING m.msg_id, m.message ->> 'id', m.message ->> 'user', m.message ->> 'amount',
              m.message ->> 'at'
"""
# The product's own function; its ledger dedupes.
COUNT_USAGE = """
    WITH done AS (DELETE FROM bench.q_{name} WHERE msg_id = ANY (CAST($1 AS bigint[])))
    SELECT FROM insights.count_usage(
        CAST($2 AS uuid[]), CAST($3 AS uuid[]),
        array_fill('predictions'::text, ARRAY[cardinality(CAST($1 AS bigint[]))]),
        CAST($4 AS bigint[]), CAST($5 AS timestamptz[]))
"""
COUNT_ACTIVITY = """
    WITH done AS (
        DELETE FROM bench.q_{name} WHERE msg_id = ANY (CAST($1 AS bigint[]))
    ), first AS (
        INSERT INTO bench.done (handler, event_id) SELECT '{name}', unnest(CAST($2 AS uuid[]))
        ON CONFLICT DO NOTHING RETURNING event_id
    )
    INSERT INTO bench.activity AS a (handler, user_id, count)
    SELECT '{name}', u.user_id, count(*)
    FROM (SELECT DISTINCT * FROM unnest(CAST($2 AS uuid[]), CAST($3 AS uuid[])))
        AS u (event_id, user_id)
    JOIN first USING (event_id) GROUP BY u.user_id ORDER BY u.user_id
    ON CONFLICT (handler, user_id) DO UPDATE SET count = a.count + excluded.count
"""


def drain(servers: BenchServers, events: int, *, users: int, workers: int) -> float:
    """Events a second, all messages sent beforehand, by consumers that have worked already."""
    with deploy(servers, users=users) as deployment:
        execute(deployment, CREATE)
        command = (sys.executable, "-m", __name__)
        consumers = [
            deployment.processes.start(f"consumer-{n}", *command, talks=True)
            for n in range(workers)
        ]
        for each in consumers:
            read_line(each)
        for count in (WARM_UP_EVENTS, events):
            clear(deployment)
            publish_predictions(deployment, count)
            execute(deployment, SEND)
            execute(deployment, "ANALYZE bench.q_{name}")
            deployment.analyze_and_checkpoint()
            started = time.perf_counter()
            for each in consumers:
                write_line(each, "work")
            for each in consumers:
                read_line(each)
            seconds = time.perf_counter() - started
            verify_effects(deployment, DRAIN_HANDLERS)
        return events / seconds


def execute(deployment: Deployment, statement: str) -> None:
    """Run a statement for the queue of each handler."""
    with deployment.assembly.engine.begin() as connection:
        for name in DRAIN_HANDLERS:
            connection.execute(text(statement.format(name=name)))


def main() -> None:
    """Handle all messages for each line of the input."""
    # No plan of a batch is worth compiling.
    with psycopg.connect(database_url(), autocommit=True, options="-c jit=off") as connection:
        print("ready", flush=True)  # noqa: T201
        for _ in sys.stdin:
            work(connection)
            print("done", flush=True)  # noqa: T201


def work(connection: Connection) -> None:
    """Handle a batch of each queue in turn, until all of them are empty."""
    empty = 0
    for name in cycle(DRAIN_HANDLERS):
        empty = 0 if handle_batch(connection, name) else empty + 1
        if empty == len(DRAIN_HANDLERS):
            return


def handle_batch(connection: Connection, name: str) -> bool:
    """Handle a batch of one queue; False if there was none."""
    cursor = RawCursor(connection)
    read = cursor.execute(READ.format(name=name), (BATCH, VISIBILITY_TIMEOUT)).fetchall()
    if not read:
        return False
    columns = list(map(arrays.plain, zip(*read, strict=True)))
    if name == "usage":
        cursor.execute(COUNT_USAGE.format(name=name), columns)
    else:
        cursor.execute(COUNT_ACTIVITY.format(name=name), columns[:3])
    return True


if __name__ == "__main__":
    main()
