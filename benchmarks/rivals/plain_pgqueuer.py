"""pgqueuer on asyncpg and uvloop, as its guide to performance recommends.

https://janbjorge.github.io/pgqueuer/guides/performance-tuning: a connection of its own for the
queue manager, its autovacuum settings, large batches for short jobs, and a log table that a crash
may empty (the queue itself is durable).
"""

import asyncio
import json
import sys
from collections.abc import Sequence

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.db import AsyncpgDriver
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from benchmarks.deployment import deploy
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.load import publish_predictions
from benchmarks.rivals.effects import (
    Message,
    database_url,
    messages,
    statement,
    wait_and_measure,
)
from benchmarks.servers import BenchServers

BATCH = 200  # jobs fetched at once
CONNECTIONS = 8  # of each process, for the effects
SENT_AT_ONCE = 1_000  # jobs


def drain(servers: BenchServers, events: int, *, users: int, workers: int) -> float:
    """Events a second, with a job per event and handler, all of them sent beforehand."""
    with deploy(servers, users=users) as deployment:
        publish_predictions(deployment, events)
        url = deployment.processes.environment["DATABASE_URL"]
        asyncio.run(send(url, messages(deployment)))
        deployment.analyze_and_checkpoint()
        for number in range(workers):
            deployment.processes.start(f"pgqueuer-{number}", sys.executable, "-m", __name__)
        return wait_and_measure(deployment, events)


async def send(url: str, events: Sequence[Message]) -> None:
    """Make pgqueuer's tables, and a job for each event and handler."""
    connection = await asyncpg.connect(url)
    settings = DBSettings(durability=Durability.balanced)
    queries = Queries(AsyncpgDriver(connection), qbe=QueryBuilderEnvironment(settings))
    await queries.install()
    await queries.optimize_autovacuum()
    jobs = [(name, json.dumps(event).encode()) for event in events for name in DRAIN_HANDLERS]
    for start in range(0, len(jobs), SENT_AT_ONCE):
        names, payloads = zip(*jobs[start : start + SENT_AT_ONCE], strict=True)
        await queries.enqueue(list(names), list(payloads), [0] * len(names))
    await connection.execute("ANALYZE pgqueuer")
    await connection.close()


async def work(url: str) -> None:
    """Run a worker until it is stopped."""
    pgq = PgQueuer(AsyncpgDriver(await asyncpg.connect(url)))
    pool = await asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS)

    async def handle(job: Job) -> None:
        query, parameters = statement(job.entrypoint, json.loads(job.payload or b""))
        await pool.execute(query, *parameters)

    for name in DRAIN_HANDLERS:
        pgq.entrypoint(name)(handle)
    # No limit of concurrent tasks: one would have each fetch count the jobs in hand.
    await pgq.run(batch_size=BATCH)


if __name__ == "__main__":
    uvloop.run(work(database_url()))
