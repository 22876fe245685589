"""The usage that events come to, worked out from all of them at once, for comparison."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from events import DatasetDeleted, DatasetUploaded, Event, PredictionMade, TrainingStarted, named_id
from runtime.assembly import Assembly

RESOURCES = ("datasets", "trainings", "predictions")
LIMITS: dict[str, dict[str, int]] = {
    "free": {"datasets": 5, "trainings": 10, "predictions": 100},
    "pro": {"trainings": 100, "predictions": 5000},
    "enterprise": {},
}

ROWS = text("""
    SELECT user_id, datasets_count, trainings_this_month, predictions_this_month, month_year
    FROM public.usage_limits WHERE user_id = ANY(:users)
""")
LEDGER = text("""
    SELECT event_id, user_id, resource, amount, month
    FROM insights.usage_ledger WHERE user_id = ANY(:users)
""")
MARKS = text("""
    SELECT user_id, resource, month, "limit", mark
    FROM insights.usage_marks WHERE user_id = ANY(:users)
""")
PUBLISHED = text("""
    SELECT id, type, data ->> 'resource' FROM insights.events
    WHERE user_id = ANY(:users) AND type LIKE 'usage.%'
""")


@dataclass(frozen=True)
class Usage:
    """Rows of `usage_limits`, of the ledger and of the marks, and the events of marks."""

    rows: set[tuple[Any, ...]]
    ledger: set[tuple[Any, ...]]
    marks: set[tuple[Any, ...]]
    published: set[tuple[Any, ...]]

    def without_data_set_marks(self) -> "Usage":
        """All but the marks of data sets, which depend on the order where some are deleted."""
        marks = {mark for mark in self.marks if mark[1] != "datasets"}
        published = {event for event in self.published if event[2] != "datasets"}
        return Usage(self.rows, self.ledger, marks, published)


def stored(assembly: Assembly, users: Iterable[UUID]) -> Usage:
    """What the database says of these users; a row that stands twice is an error."""
    given = {"users": list(users)}
    sets = []
    with assembly.engine.connect() as connection:
        for query in (ROWS, LEDGER, MARKS, PUBLISHED):
            rows = [tuple(row) for row in connection.execute(query, given)]
            assert len(rows) == len(set(rows))
            sets.append(set(rows))
    return Usage(*sets)


def expected(plans: dict[UUID, str], events: Sequence[Event]) -> Usage:
    """What these events come to; the same event may be among them more than once."""
    ledger = {(event.id, event.user_id, *use_of(event), month_of(event)) for event in events}
    marks = {
        (user, resource, month, limit, mark)
        for user, plan in plans.items()
        for resource, limit in LIMITS[plan].items()
        for month in {m for _, u, r, amount, m in ledger if (u, r) == (user, resource)}
        for mark in passed(used(events, user, resource, month), limit)
    }
    rows = {row_of(events, user) for user in plans if any(user == entry[1] for entry in ledger)}
    return Usage(rows, ledger, marks, {published_by(mark) for mark in marks})


def use_of(event: Event) -> tuple[str, int]:
    match event:
        case DatasetUploaded():
            return "datasets", 1
        case DatasetDeleted():
            return "datasets", -1
        case TrainingStarted():
            return "trainings", 1
        case PredictionMade(prediction_count=count):
            return "predictions", count
    raise TypeError(event)


def month_of(event: Event) -> str:
    return event.occurred_at.astimezone(UTC).strftime("%Y-%m")


def used(events: Sequence[Event], user: UUID, resource: str, month: str) -> int:
    """The count of a month; of data sets, those that were there at its end."""
    if resource == "datasets":
        return len(datasets_there(e for e in events if e.user_id == user and month_of(e) <= month))
    found = {e.id: e for e in events if e.user_id == user and month_of(e) == month}
    return sum(amount for kind, amount in map(use_of, found.values()) if kind == resource)


def datasets_there(events: Iterable[Event]) -> set[str]:
    """The data sets of which the newest event is no deletion."""
    newest: dict[str, tuple[datetime, bool]] = {}
    for event in events:
        if isinstance(event, DatasetUploaded | DatasetDeleted):
            state = (event.occurred_at, isinstance(event, DatasetDeleted))
            newest[event.dataset_id] = max(state, newest.get(event.dataset_id, state))
    return {dataset_id for dataset_id, (_, is_deleted) in newest.items() if not is_deleted}


def passed(count: int, limit: int) -> list[str]:
    marks = {"80": count >= limit * 0.8, "100": count >= limit, "exceeded": count > limit}
    return [mark for mark, is_passed in marks.items() if is_passed]


def row_of(events: Sequence[Event], user: UUID) -> tuple[Any, ...]:
    newest = max(month_of(event) for event in events if event.user_id == user)
    return (user, *(used(events, user, r, newest) for r in RESOURCES), newest)


def published_by(mark: tuple[UUID, str, str, int, str]) -> tuple[UUID, str, str]:
    type_ = "usage.limit_exceeded" if mark[4] == "exceeded" else "usage.threshold_reached"
    return named_id("usage", *mark), type_, mark[1]
