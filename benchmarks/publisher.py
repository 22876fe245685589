"""A process that publishes as fast as it can: `python -m benchmarks.publisher`.

It prints `ready`. Then, for each line `BATCH SECONDS LIMIT` of its input, it publishes batches for
so many seconds, waiting while more than LIMIT deliveries are owed (0: never), and prints how many
events that were.
"""

import random
import sys
import time

from sqlalchemy import text

from benchmarks.load import prediction
from events import publish
from runtime.assembly import Assembly
from settings import load_settings

WAIT_INTERVAL = 0.01  # s
EVENTS_PER_LOOK = 1_000  # so that counting the backlog costs next to nothing
# Counts no further than the limit, however much is owed.
COUNT_BACKLOG = text("""
    SELECT count(*) FROM (SELECT FROM insights.deliveries LIMIT :limit) AS owed
""")


def main() -> None:
    """Do what each line of the input asks for."""
    assembly = Assembly(load_settings())
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        batch, seconds, limit = line.split()
        print(publish_for(assembly, int(batch), float(seconds), int(limit)), flush=True)  # noqa: T201


def publish_for(assembly: Assembly, batch: int, seconds: float, limit: int) -> int:
    """Publish batches for so many seconds; return how many events."""
    choice = random.Random()
    with assembly.sessions() as session:
        users = list(session.scalars(text("SELECT id FROM public.profiles")))
    published = next_look = 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        if limit and published >= next_look:
            next_look = published + EVENTS_PER_LOOK
            wait_for_room(assembly, limit)
        with assembly.sessions.begin() as session:
            publish(session, *(prediction(users, choice) for _ in range(batch)))
        published += batch
    return published


def wait_for_room(assembly: Assembly, limit: int) -> None:
    """Wait while more than `limit` deliveries are owed."""
    with assembly.engine.connect() as connection:
        while (connection.scalar(COUNT_BACKLOG, {"limit": limit + 1}) or 0) > limit:
            connection.rollback()
            time.sleep(WAIT_INTERVAL)


if __name__ == "__main__":
    main()
