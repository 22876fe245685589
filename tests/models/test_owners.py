"""Ids belong to the first user who had them, for longer than the events that say so."""

from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from events import (
    Event,
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingRequested,
    uuid7,
)
from models.owners import Claim, Kind, owner_of, refuted
from runtime.assembly import Assembly
from runtime.migrate import downgrade, migrate
from tests.factories import (
    Servers,
    dataset_uploaded,
    new_database,
    publish_now,
    training_event,
)
from tests.models.assemblies import assembly_on
from tests.models.concurrency import meanwhile

ADA, BEA = uuid7(), uuid7()


def owner(assembly: Assembly, kind: Kind, id_: str) -> UUID | None:
    with assembly.sessions() as session:
        return owner_of(session, kind, id_)


@pytest.mark.parametrize(
    ("event", "kind", "id_"),
    [
        (dataset_uploaded(ADA), Kind.DATASET, "d-1"),
        (training_event(TrainingRequested, 0, ADA), Kind.TRAINING, "t-1"),
        (training_event(TrainingRequested, 0, ADA), Kind.MODEL, "t-1"),
        (training_event(TrainingCompleted, 0, ADA), Kind.TRAINING, "t-1"),
        (training_event(TrainingCompleted, 0, ADA), Kind.MODEL, "m"),
    ],
)
def test_an_id_belongs_to_the_first_user_even_when_the_event_is_gone(
    event: Event, kind: Kind, id_: str, assembly: Assembly
) -> None:
    publish_now(assembly, event)
    with assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM insights.events"))
    publish_now(assembly, event.model_copy(update={"id": uuid7(), "user_id": BEA}))

    assert owner(assembly, kind, id_) == ADA
    with assembly.sessions() as session:
        claims = [Claim(kind, id_, ADA), Claim(kind, id_, BEA), Claim(kind, "free", BEA)]
        assert refuted(session, claims) == {Claim(kind, id_, BEA)}


@pytest.mark.parametrize("class_", [TrainingFailed, TrainingCancelled])
def test_whoever_is_refused_or_cancels_takes_no_id(class_: type[Event], assembly: Assembly) -> None:
    publish_now(assembly, training_event(class_, 0, BEA))

    assert owner(assembly, Kind.TRAINING, "t-1") is None


def test_of_two_users_at_once_the_first_to_commit_is_the_owner(assembly: Assembly) -> None:
    with meanwhile(assembly, lambda: publish_now(assembly, dataset_uploaded(BEA))) as first:
        first.execute(
            text("SELECT publish_event('dataset.uploaded', CAST(:data AS jsonb), :user)"),
            {"data": dataset_uploaded(ADA).model_dump_json(include=DATA), "user": ADA},
        )

    assert owner(assembly, Kind.DATASET, "d-1") == ADA


DATA = {"dataset_id", "filename", "size_mb", "row_count", "column_count"}
STORED = """
    INSERT INTO insights.events (id, type, source, user_id, data, occurred_at, recorded_at) VALUES
    (gen_random_uuid(), 'dataset.uploaded', 'old', %(ada)s, '{"dataset_id": "sales"}',
     now(), now() - interval '2 days'),
    (gen_random_uuid(), 'dataset.uploaded', 'old', %(bea)s, '{"dataset_id": "sales"}',
     now() - interval '9 days', now() - interval '1 day'),
    (gen_random_uuid(), 'dataset.uploaded', 'old', NULL, '{"dataset_id": "nobodys"}',
     now(), now()),
    (gen_random_uuid(), 'training.failed', 'old', %(ada)s, '{"training_id": "t"}',
     now() - interval '9 days', now() - interval '1 day'),
    (gen_random_uuid(), 'training.cancelled', 'old', %(ada)s, '{"training_id": "t"}',
     now(), now() - interval '2 days'),
    (gen_random_uuid(), 'training.requested', 'old', %(ada)s, '{"training_id": "t"}',
     now(), now() - interval '3 days'),
    (gen_random_uuid(), 'training.requested', 'old', %(ada)s, '{"training_id": "open"}',
     now(), now() - interval '3 days')
"""


def test_the_migration_reads_the_events_that_are_stored(servers: Servers) -> None:
    with new_database(servers.database_url) as url, assembly_on(url, servers) as assembly:
        migrate(assembly.engine, assembly.catalogue, assembly.handlers)
        downgrade(assembly.engine, "0009")
        with psycopg.connect(url) as connection:
            connection.execute(STORED, {"ada": ADA, "bea": BEA})

        migrate(assembly.engine, assembly.catalogue, assembly.handlers)

        with psycopg.connect(url) as connection:
            owners = connection.execute("SELECT * FROM insights.owners ORDER BY kind, id")
            assert owners.fetchall() == [
                ("dataset", "sales", ADA),
                ("model", "open", ADA),
                ("model", "t", ADA),
                ("training", "open", ADA),
                ("training", "t", ADA),
            ]
            trainings = connection.execute(
                "SELECT training_id, user_id, status FROM insights.trainings ORDER BY training_id"
            )
            assert trainings.fetchall() == [("open", ADA, None), ("t", ADA, "cancelled")]
