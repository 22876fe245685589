"""What a run left behind: in the database, at the provider, on the board."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from benchmarks.chaos.events import GivenUp, WorkDone
from benchmarks.chaos.expected import Identity
from benchmarks.chaos.ledger import Entry, Mark, Standing
from benchmarks.chaos.letters import TRACKED
from benchmarks.chaos.told import Told
from events.progress import TrainingProgress

EVENTS = text("SELECT id FROM insights.events")
OF_TYPES = text("SELECT id FROM insights.events WHERE type = ANY (:types)")
CAUSES = text("SELECT id, causation_id FROM insights.events WHERE type = :type")
LIMIT_EVENTS = text("""
    SELECT user_id, data ->> 'resource', data ->> 'month',
           coalesce(data ->> 'threshold', 'exceeded')
    FROM insights.events WHERE type IN ('usage.threshold_reached', 'usage.limit_exceeded')
""")
LEDGER = text("SELECT event_id, user_id, resource, amount, month FROM insights.usage_ledger")
MARKS = text("SELECT user_id, resource, month, mark FROM insights.usage_marks")
STANDINGS = text("""
    SELECT user_id, datasets_count, trainings_this_month, predictions_this_month, month_year
    FROM public.usage_limits
""")
PROFILES = text("SELECT id, email, name FROM public.profiles")
ROWS = text("SELECT event_id FROM chaos.rows")
OWED = text("SELECT handler, event_id, died_at IS NOT NULL, last_error FROM insights.deliveries")


class Caused(NamedTuple):
    """A follow-up, and what it followed from."""

    id: UUID
    by: UUID


class Debt(NamedTuple):
    """A delivery that is still there."""

    handler: str
    event_id: UUID
    dead: bool
    error: str | None


class Call(NamedTuple):
    """What the provider was asked for, for one event, and whether it did it."""

    handler: str
    event: str
    key: str | None
    done: bool


@dataclass(frozen=True)
class Seen:
    """Everything that is there in the end, each as often as it is there.

    `shown` is every state that the board announced, `stale` those that came after newer ones,
    `board` what it shows after having been wiped and given its whole history again. `tracked` are
    the events that analytics must know, `told` is what providers know.
    """

    events: Sequence[UUID]
    work_done: Sequence[Caused]
    given_up: Sequence[Caused]
    limit_events: Sequence[Mark]
    ledger: Sequence[Entry]
    marks: Sequence[Mark]
    standings: Mapping[UUID, Standing]
    profiles: Mapping[UUID, Identity]
    rows: Sequence[UUID]
    owed: Sequence[Debt]
    calls: Sequence[Call]
    shown: Mapping[str, set[TrainingProgress]]
    stale: Sequence[TrainingProgress]
    board: Mapping[str, TrainingProgress | None]
    tracked: Sequence[UUID]
    told: Told


def look(
    on: Connection,
    record: Path,
    shown: Mapping[str, set[TrainingProgress]],
    stale: Sequence[TrainingProgress],
    board: Mapping[str, TrainingProgress | None],
    told: Told,
) -> Seen:
    """Read all that is there, once nothing moves any more."""
    return Seen(
        events=list(on.scalars(EVENTS)),
        work_done=caused(on, WorkDone.type),
        given_up=caused(on, GivenUp.type),
        limit_events=[Mark(*row) for row in on.execute(LIMIT_EVENTS)],
        ledger=[Entry(*row) for row in on.execute(LEDGER)],
        marks=[Mark(*row) for row in on.execute(MARKS)],
        standings={row[0]: Standing(*row[1:]) for row in on.execute(STANDINGS)},
        profiles={row[0]: (row[1], row[2]) for row in on.execute(PROFILES)},
        rows=list(on.scalars(ROWS)),
        owed=[Debt(*row) for row in on.execute(OWED)],
        calls=read(record),
        shown=shown,
        stale=stale,
        board=board,
        tracked=list(on.scalars(OF_TYPES, {"types": list(TRACKED)})),
        told=told,
    )


def caused(on: Connection, type_: str) -> list[Caused]:
    """All follow-ups of a type."""
    return [Caused(*row) for row in on.execute(CAUSES, {"type": type_})]


def read(record: Path) -> list[Call]:
    """All calls that reached the provider."""
    return [Call(**json.loads(line)) for line in record.read_text().splitlines()]
