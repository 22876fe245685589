"""Everything works through a pooler in transaction mode, as on Supabase's port 6543."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import text

from events import PredictionMade, TrainingProgressed, UserSignedUp, uuid7
from runtime.assembly import Assembly
from runtime.migrate import downgrade, migrate
from tests.factories import Servers, libpq_url, new_database, publish_now
from tests.models.assemblies import assembly_on
from tests.pgbouncer import pgbouncer
from tests.pipeline import Pipeline

NOON = datetime(2025, 10, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def pooled(servers: Servers) -> Iterator[Assembly]:
    """The product on a database that it reaches through the pooler alone, migrated through it."""
    with (
        new_database(servers.database_url) as url,
        pgbouncer(url) as pooler_url,
        assembly_on(pooler_url, servers) as assembly,
    ):
        migrate(assembly.engine, assembly.catalogue, assembly.handlers)
        downgrade(assembly.engine)
        migrate(assembly.engine, assembly.catalogue, assembly.handlers)
        yield assembly


@pytest.fixture
def pipeline(pooled: Assembly) -> Pipeline:
    pooled.redis.flushdb()
    pipeline = Pipeline(pooled)
    names = ("profiles", "usage", "progress")
    pipeline.follow(*(pooled.handlers[name] for name in names))
    return pipeline


def test_the_pooler_gives_each_transaction_any_of_its_connections(pooled: Assembly) -> None:
    """Two clients at once, and a third: otherwise the other tests here would prove nothing."""
    url = libpq_url(pooled.settings)
    with psycopg.connect(url) as one, psycopg.connect(url) as two, psycopg.connect(url) as three:
        query = "SELECT pg_backend_pid()"
        first, second = one.execute(query).fetchone(), two.execute(query).fetchone()
        one.rollback()
        third = three.execute(query).fetchone()

    assert first != second
    assert third == first


def test_publish_relay_take_and_claim_work_through_a_pooler(
    pooled: Assembly, pipeline: Pipeline
) -> None:
    user, training = uuid7(), uuid7().hex
    progressed = TrainingProgressed(
        user_id=user, training_id=training, progress=50, message="Half", occurred_at=NOON
    )
    made = [
        PredictionMade(user_id=user, model_id="m", prediction_count=1, occurred_at=NOON)
        for _ in range(90)
    ]
    publish_now(pooled, UserSignedUp(user_id=user, email="ada@example.com"), progressed)
    pipeline.work()
    publish_now(pooled, *made)
    pipeline.work()

    with pooled.engine.connect() as connection:
        usage = connection.execute(
            text("SELECT predictions_this_month, month_year FROM usage_limits")
        ).all()
        left = connection.execute(
            text("SELECT * FROM check_limit(:user, 'datasets')"), {"user": user}
        )
        assert [tuple(row) for row in left] == [(True, 5)]
    assert [tuple(row) for row in usage] == [(90, "2025-10")]
    assert pooled.redis.hget(f"training:{training}", "progress") == b"50.0"
    assert pipeline.owed() == []


def test_failures_are_written_and_retried_through_a_pooler(
    pooled: Assembly, pipeline: Pipeline
) -> None:
    stranger = PredictionMade(user_id=uuid7(), model_id="m", occurred_at=NOON)
    publish_now(pooled, stranger)
    pipeline.work()
    (owed,) = pipeline.owed()
    assert (owed.attempts, owed.died_at) == (1, None)

    with pooled.engine.begin() as connection:
        connection.execute(text("INSERT INTO profiles (id) VALUES (:id)"), {"id": stranger.user_id})
    pipeline.pass_time()
    pipeline.work()

    assert pipeline.owed() == []


def test_many_more_threads_than_connections_lose_nothing(
    pooled: Assembly, pipeline: Pipeline
) -> None:
    user = uuid7()
    publish_now(pooled, UserSignedUp(user_id=user, email="bea@example.com"))
    pipeline.work()

    def publish_some(_: int) -> None:
        for _ in range(5):
            publish_now(pooled, PredictionMade(user_id=user, model_id="m", occurred_at=NOON))
            for name in pipeline.rung():
                pipeline.answer(name)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(publish_some, range(8)))
    pipeline.work()

    with pooled.engine.connect() as connection:
        counted = connection.scalar(
            text("SELECT predictions_this_month FROM usage_limits WHERE user_id = :user"),
            {"user": user},
        )
    assert counted == 40
    assert pipeline.owed() == []
