"""A process that publishes as fast as it can: `python -m benchmarks.publisher`.

It says `ready`; then, for each line `BATCH SECONDS LIMIT` that it is told, publishes batches for
so many seconds, waiting while more than LIMIT deliveries are owed (0: never), and says how many
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

PAUSE = 0.01
LOOK_EVERY = 1_000
BACKLOG = text("SELECT count(*) FROM (SELECT FROM insights.deliveries LIMIT :limit) AS owed")


def main() -> None:
    """Do what is asked, line by line."""
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
    published = looked = 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        if limit and published >= looked:
            looked = published + LOOK_EVERY
            wait_for_room(assembly, limit)
        with assembly.sessions.begin() as session:
            publish(session, *(prediction(users, choice) for _ in range(batch)))
        published += batch
    return published


def wait_for_room(assembly: Assembly, limit: int) -> None:
    """Wait while more than `limit` deliveries are owed."""
    with assembly.engine.connect() as connection:
        while (connection.scalar(BACKLOG, {"limit": limit + 1}) or 0) > limit:
            connection.rollback()
            time.sleep(PAUSE)


if __name__ == "__main__":
    main()
