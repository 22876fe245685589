"""Databases, users and events for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from events import (
    DatasetUploaded,
    Event,
    PredictionMade,
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingProgressed,
    TrainingRequested,
    TrainingStarted,
    UserSignedUp,
    UserUpdated,
    publish,
    uuid7,
)
from runtime.assembly import Assembly
from settings import Settings

HOME = Path(".insights/tests").resolve()


@dataclass(frozen=True)
class Servers:
    """The addresses of the servers of this test run."""

    database_url: str
    redis_url: str


def sign_up(assembly: Assembly, plan: str = "free") -> UUID:
    """Insert a profile; return the user's id."""
    id_ = uuid7()
    with assembly.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO public.profiles (id, email, name, plan) VALUES (:id, :e, 'Ada', :p)"),
            {"id": id_, "e": f"{id_.hex}@example.com", "p": plan},
        )
    return id_


def publish_now(assembly: Assembly, *events: Event) -> set[UUID]:
    """Publish in a transaction of its own; return the ids that were new."""
    with assembly.sessions.begin() as session:
        return publish(session, *events)


OWE = text("""
    INSERT INTO insights.deliveries (handler, event_id)
    SELECT h.id, o.id
    FROM insights.handlers h CROSS JOIN unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS o (id, n)
    WHERE h.name = :handler
    ORDER BY o.n ON CONFLICT DO NOTHING
""")


def owe(on: Connection | Session, handler: str, *event_ids: UUID) -> None:
    """Have a handler owe these events, whether or not it follows them or they exist."""
    on.execute(OWE, {"handler": handler, "ids": list(event_ids)})


@contextmanager
def new_database(server_url: str) -> Iterator[str]:
    """The URL of a new database, which is dropped at the end of the block."""
    name = f"insights_test_{uuid7().hex}"
    before, _, query = server_url.partition("?")
    run_alone(server_url, f"CREATE DATABASE {name}")
    try:
        yield f"{before.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
    finally:
        run_alone(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def run_alone(url: str, statement: str) -> None:
    """Run one statement outside of a transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def libpq_url(settings: Settings) -> str:
    """The URL of the database for psycopg itself; SQLAlchemy's names its driver too."""
    return settings.postgres_url.replace("+psycopg", "", 1)


@contextmanager
def read_only(assembly: Assembly) -> Iterator[None]:
    """As after a fail-over that left us at a replica, or a provider's stop at a full disk."""
    with psycopg.connect(libpq_url(assembly.settings), autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        assembly.engine.dispose()
        try:
            yield
        finally:
            admin.execute(f"ALTER DATABASE {name} RESET ALL".encode())
            assembly.engine.dispose()


def signed_up(user_id: UUID) -> UserSignedUp:
    return UserSignedUp(user_id=user_id, email="ada@example.com", name="Ada")


def profile_changes(user_id: UUID) -> list[Event]:
    """A sign-up, a new address, a new name."""
    return [
        signed_up(user_id),
        UserUpdated(user_id=user_id, email="countess@example.com"),
        UserUpdated(user_id=user_id, name="Augusta"),
    ]


def dataset_uploaded(
    user_id: UUID, at: datetime | None = None, dataset_id: str = "d-1"
) -> DatasetUploaded:
    return DatasetUploaded(
        user_id=user_id,
        occurred_at=at or datetime.now(UTC),
        dataset_id=dataset_id,
        filename="a.csv",
        size_mb=1,
        row_count=9,
        column_count=3,
    )


def training_started(user_id: UUID, at: datetime | None = None) -> TrainingStarted:
    return TrainingStarted(
        user_id=user_id,
        occurred_at=at or datetime.now(UTC),
        training_id="t-1",
        dataset_id="d-1",
        algorithm="random_forest",
        problem_type="classification",
        dataset_size=489,
    )


def training_completed(user_id: UUID, training_id: str = "t-1", **fields: Any) -> TrainingCompleted:
    given: dict[str, Any] = {
        "model_id": "m-1",
        "model_name": "Churn",
        "algorithm": "random_forest",
        "problem_type": "classification",
        "duration_seconds": 2.5,
        "accuracy": 0.92314,
    }
    return TrainingCompleted(user_id=user_id, training_id=training_id, **given | fields)


def prediction_made(user_id: UUID, count: int = 1, at: datetime | None = None) -> PredictionMade:
    return PredictionMade(
        user_id=user_id,
        occurred_at=at or datetime.now(UTC),
        model_id="m",
        prediction_count=count,
    )


def predictions_made(count: int = 1) -> list[PredictionMade]:
    """One prediction each of as many users."""
    return [prediction_made(uuid7()) for _ in range(count)]


TRAINING_START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TRAINING_USER = uuid7()
TRAINING_FIELDS: dict[type[Event], dict[str, Any]] = {
    TrainingRequested: {"dataset_id": "d", "target": "y", "model_name": "n"},
    TrainingStarted: {
        "dataset_id": "d",
        "algorithm": "a",
        "problem_type": "regression",
        "dataset_size": 5,
    },
    TrainingProgressed: {"progress": 40, "message": "Learning"},
    TrainingCompleted: {
        "model_id": "m",
        "model_name": "n",
        "algorithm": "a",
        "problem_type": "regression",
        "duration_seconds": 1,
    },
    TrainingFailed: {"reason": "The file is empty."},
    TrainingCancelled: {},
}


def training_event(
    class_: type[Event], second: float, user_id: UUID | None = None, **fields: Any
) -> Event:
    """An event of the training t-1 of one user, so many seconds after its start."""
    at = TRAINING_START + timedelta(seconds=second)
    fields = TRAINING_FIELDS[class_] | {"training_id": "t-1"} | fields
    return class_(user_id=user_id or TRAINING_USER, occurred_at=at, **fields)
