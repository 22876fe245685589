"""No rival does an effect twice where a message comes twice; that would not be measured."""

import random
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import RawCursor
from sqlalchemy import text

from benchmarks.deployment import Deployment, deploy
from benchmarks.errors import BenchFailed
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.load import publish_predictions
from benchmarks.rivals import effects, pure_sql, queue_tables
from benchmarks.servers import BenchServers
from benchmarks.verification import verify_effects

EVENTS = 40


@pytest.fixture
def deployment(given_servers: BenchServers) -> Iterator[Deployment]:
    """Predictions of few users, which nobody has handled yet."""
    with deploy(given_servers, users=3) as found:
        publish_predictions(found, EVENTS)
        yield found


def connect(deployment: Deployment) -> "psycopg.Connection":
    url = deployment.processes.environment["DATABASE_URL"]
    return psycopg.connect(url, autocommit=True)


def test_a_message_that_comes_twice_counts_once(deployment: Deployment) -> None:
    twice = effects.messages(deployment) * 2
    random.Random(1).shuffle(twice)
    with connect(deployment) as connection:
        for message in twice:
            for name in DRAIN_HANDLERS:
                query, parameters = effects.statement(name, message)
                RawCursor(connection).execute(query, parameters)

    verify_effects(deployment, DRAIN_HANDLERS)
    assert effects.count_effects(deployment) == EVENTS * len(DRAIN_HANDLERS)


def test_a_message_that_a_consumer_reads_twice_counts_once(deployment: Deployment) -> None:
    queue_tables.execute(deployment, queue_tables.CREATE)
    for _ in range(2):
        queue_tables.execute(deployment, queue_tables.SEND)
    with connect(deployment) as connection:
        queue_tables.work(connection)

    verify_effects(deployment, DRAIN_HANDLERS)
    queue_tables.execute(deployment, "SELECT 1 / (count(*) = 0)::int FROM bench.q_{name}")


def test_what_a_rival_counts_twice_fails_its_measurement(deployment: Deployment) -> None:
    pure_sql.owe(deployment)
    pure_sql.work(deployment)
    with deployment.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE bench.activity SET count = count + 1"))

    with pytest.raises(BenchFailed, match="Effects were counted wrong"):
        effects.wait_and_measure(deployment, EVENTS)
