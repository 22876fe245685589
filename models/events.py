"""What happened: the events, how they are inserted and read."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import arrays
from models.base import Base

ERASED = "erased"  # the key that erasing adds to the data of an event
TOLERATED = timedelta(minutes=1)  # clocks that are kept differ by less, and statements wait less
MAX_AHEAD = timedelta(days=1)  # more than a time zone that was left out, or a clock that is fast
STATES_READ = 20  # of one training: not every stored event need fit its type


class EventRow(Base):
    """One event. A row changes by erasure alone, and goes when it is old and owed by nobody.

    `occurred_at` is when it happened, by the publisher's clock; `recorded_at` when it was
    published, by the database's. `correlation_id` is the id of the event that began a chain of
    follow-ups, `causation_id` that of the event that this one follows from.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("events_by_age", "recorded_at", "id"),
        Index(
            "events_of_training",
            text("(data ->> 'training_id')"),
            "occurred_at",
            postgresql_where=text("type LIKE 'training.%'"),
        ),
        # The events of a user, to be erased: of any type, since any may have personal fields.
        Index("events_of_user", "user_id", "type"),
        Index(
            "events_of_choice",
            "user_id",
            "occurred_at",
            postgresql_where=text("type = 'user.analytics_choice_made'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str]
    source: Mapped[str]
    user_id: Mapped[UUID | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.now())
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    correlation_id: Mapped[UUID | None]
    causation_id: Mapped[UUID | None]
    traceparent: Mapped[str | None]


class NewEvent(NamedTuple):
    """An event to be inserted; `data` is JSON text that PostgreSQL can store.

    `is_time_given`: its publisher said when it happened. Else `occurred_at` is when the publisher
    made it, by a clock that may be wrong.
    """

    id: UUID
    type: str
    source: str
    user_id: UUID | None
    data: str
    occurred_at: datetime
    is_time_given: bool
    correlation_id: UUID | None
    causation_id: UUID | None
    traceparent: str | None


class Inserted(NamedTuple):
    """The ids that were new, and those of events that lie ahead, where nothing was inserted."""

    new: set[UUID]
    ahead: set[UUID]


class StoredEvent(NamedTuple):
    """An event as it is read back: `body` is its data and envelope as one JSON object."""

    id: UUID
    type: str
    body: str


# Insert events; the trigger `fan_out` writes what each handler owes in this same statement.
# An id that is there already stays as it is: publishing twice is publishing once. None is inserted
# if one lies ahead: it would win over all that happens until then, and count in a later month.
# Where no time was given and the publisher's clock is wrong, it says only how long ago it was.
INSERT = text("""
    WITH new AS (
        SELECT id, type, source, user_id, data, correlation_id, causation_id, traceparent,
               CASE WHEN is_time_given OR :sent_at BETWEEN statement_timestamp() - :tolerated
                                                       AND statement_timestamp() + :tolerated
                    THEN occurred_at
                    ELSE statement_timestamp() - greatest(:sent_at - occurred_at, interval '0')
               END AS occurred_at
        FROM unnest(
            CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:sources AS text[]),
            CAST(:user_ids AS uuid[]), CAST(:data AS jsonb[]), CAST(:occurred_at AS timestamptz[]),
            CAST(:is_time_given AS boolean[]), CAST(:correlation_ids AS uuid[]),
            CAST(:causation_ids AS uuid[]), CAST(:traceparents AS text[])
        ) AS given (id, type, source, user_id, data, occurred_at, is_time_given,
                    correlation_id, causation_id, traceparent)
    ), ahead AS (
        SELECT id FROM new WHERE occurred_at > now() + :max_ahead
    ), inserted AS (
        INSERT INTO insights.events (id, type, source, user_id, data, occurred_at,
                                     correlation_id, causation_id, traceparent)
        SELECT id, type, source, user_id, data, occurred_at,
               coalesce(correlation_id, id), causation_id, traceparent
        FROM new WHERE NOT EXISTS (SELECT FROM ahead)
        ON CONFLICT (id) DO NOTHING
        RETURNING id
    )
    SELECT id, false FROM inserted UNION ALL SELECT id, true FROM ahead
""")

# Whether there is any event, at the cost of one row.
ANY = text("SELECT 1 FROM insights.events LIMIT 1")

# Read events by id, in the form in which workers read them.
READ = text("""
    SELECT b.id, b.type, b.body FROM insights.event_bodies b
    WHERE b.id = ANY (CAST(:ids AS uuid[]))
""")

# The events that say how far a training is: its end first, then the newest. Left out are those of
# users who do not own the training, and of its final events all but the first recorded.
OF_TRAINING = text("""
    SELECT b.id, b.type, b.body
    FROM insights.events e JOIN insights.event_bodies b ON b.id = e.id
    WHERE e.type LIKE 'training.%' AND e.data ->> 'training_id' = :id AND e.type = ANY(:types)
      AND NOT EXISTS (SELECT FROM insights.owners o
                      WHERE o.kind = 'training' AND o.id = :id AND o.user_id <> e.user_id)
      AND NOT EXISTS (SELECT FROM insights.trainings t
                      WHERE t.training_id = :id AND t.user_id = e.user_id
                        AND e.type = ANY(:ends) AND t.ended_by <> e.id)
    ORDER BY e.type = ANY(:ends) DESC, e.occurred_at DESC
    LIMIT :at_most
""")

# The trainings of which events of some users speak.
TRAININGS_OF_USERS = text("""
    SELECT DISTINCT e.user_id, e.data ->> 'training_id' FROM insights.events e
    WHERE e.user_id = ANY (CAST(:users AS uuid[])) AND e.type LIKE 'training.%'
      AND e.data ->> 'training_id' IS NOT NULL
""")

# Of these events, those that were recorded a moment ago, by the database's clock.
YOUNGER = text("""
    SELECT e.id FROM insights.events e
    WHERE e.id = ANY (CAST(:ids AS uuid[])) AND e.recorded_at > now() - CAST(:age AS interval)
""")

# Who opted out of product analytics: the newest choice counts, from its commit on. A clock that
# runs ahead wins no argument: a choice is no newer than its recording.
OPTED_OUT = text("""
    SELECT u.id FROM unnest(CAST(:users AS uuid[])) AS u (id)
    CROSS JOIN LATERAL (
        SELECT e.data FROM insights.events e
        WHERE e.type = 'user.analytics_choice_made' AND e.user_id = u.id
        ORDER BY least(e.occurred_at, e.recorded_at) DESC, e.recorded_at DESC, e.id DESC LIMIT 1
    ) latest
    WHERE latest.data ->> 'opted_out' = 'true'
""")


def insert(on: Session, events: Sequence[NewEvent], sent_at: datetime) -> Inserted:
    """Insert events and what is owed to them, or nothing if one lies more than a day ahead.

    `sent_at` is now by the publisher's clock. Raises IntegrityError (check_violation) for a type
    that the database does not know.
    """
    columns = {
        "ids": arrays.uuids(event.id for event in events),
        "types": arrays.texts(event.type for event in events),
        "sources": arrays.texts(event.source for event in events),
        "user_ids": arrays.uuids(event.user_id for event in events),
        "data": arrays.texts(event.data for event in events),
        "occurred_at": arrays.plain(event.occurred_at for event in events),
        "is_time_given": arrays.plain(event.is_time_given for event in events),
        "correlation_ids": arrays.uuids(event.correlation_id for event in events),
        "causation_ids": arrays.uuids(event.causation_id for event in events),
        "traceparents": arrays.texts(event.traceparent for event in events),
    }
    times = {"sent_at": sent_at, "tolerated": TOLERATED, "max_ahead": MAX_AHEAD}
    inserted = Inserted(set(), set())
    for id_, is_ahead in on.execute(INSERT, columns | times):
        (inserted.ahead if is_ahead else inserted.new).add(id_)
    return inserted


def read(on: Session, ids: Iterable[UUID]) -> list[StoredEvent]:
    """The stored events of these ids, in any order; ids that are not there are left out."""
    return list(map(StoredEvent._make, on.execute(READ, {"ids": arrays.uuids(ids)})))


def is_erased(data: Mapping[str, Any]) -> bool:
    """Whether personal fields of an event's data were blanked, since its user was deleted."""
    return data.get(ERASED) is True


def any_event(on: Session | Connection) -> bool:
    """Whether anything was ever published and not pruned since."""
    return on.scalar(ANY) is not None


def is_erased_body(body: str) -> bool:
    """The same of an event as workers read it."""
    # Few are, and reading all of them as JSON would take longer than handling them.
    return f'"{ERASED}": true' in body and is_erased(json.loads(body))


def find(on: Session, id_: UUID) -> EventRow | None:
    """One event; None where there is none, or none any more."""
    return on.get(EventRow, id_)


def events_of_training(
    on: Session, training_id: str, types: Sequence[str], ends: Sequence[str]
) -> list[StoredEvent]:
    """The newest events of these types about a training, those of `ends` first."""
    given = {"id": training_id, "types": list(types), "ends": list(ends), "at_most": STATES_READ}
    return list(map(StoredEvent._make, on.execute(OF_TRAINING, given)))


def trainings_of_users(on: Session, users: Iterable[UUID]) -> list[tuple[UUID, str]]:
    """User and id of each training of which events of these users speak."""
    rows = on.execute(TRAININGS_OF_USERS, {"users": arrays.uuids(users)})
    return [(user_id, training_id) for user_id, training_id in rows]


def younger_than(on: Session, age: timedelta, ids: Iterable[UUID]) -> set[UUID]:
    """Those of the events that were recorded less than `age` ago."""
    return set(on.scalars(YOUNGER, {"age": age, "ids": arrays.uuids(ids)}))


def opted_out(on: Session, users: Iterable[UUID]) -> set[UUID]:
    """Those of the users who opted out of product analytics."""
    return set(on.scalars(OPTED_OUT, {"users": arrays.uuids(users)}))
