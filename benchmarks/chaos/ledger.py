"""What people must have used, counted in plain Python from what was published."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import NamedTuple
from uuid import UUID

from benchmarks.chaos.people import User
from events import DatasetDeleted, DatasetUploaded, Event, PredictionMade, TrainingStarted

LIMITS: Mapping[str, Mapping[str, int]] = {
    "free": {"datasets": 5, "trainings": 10, "predictions": 100},
    "pro": {"trainings": 100, "predictions": 5_000},
    "enterprise": {},
}


class Entry(NamedTuple):
    """One line of the ledger."""

    event_id: UUID
    user_id: UUID
    resource: str
    amount: int
    month: str


class Mark(NamedTuple):
    """A limit's mark that somebody passed: '80', '100' or 'exceeded'."""

    user_id: UUID
    resource: str
    month: str
    mark: str


@dataclass(frozen=True)
class Standing:
    """A row of usage_limits: what was used in all, and in the newest month that is known."""

    datasets: int
    trainings: int
    predictions: int
    month: str


def entries(events: Iterable[Event]) -> Iterator[Entry]:
    """A line per event that uses something."""
    for event in events:
        match event:
            case DatasetUploaded():
                yield entry(event, "datasets", 1)
            case DatasetDeleted():
                yield entry(event, "datasets", -1)
            case TrainingStarted():
                yield entry(event, "trainings", 1)
            case PredictionMade(prediction_count=count):
                yield entry(event, "predictions", count)


def entry(event: Event, resource: str, amount: int) -> Entry:
    """A line in the month in which the event happened."""
    if event.user_id is None:
        raise TypeError(event.type)
    month = event.occurred_at.astimezone(UTC).strftime("%Y-%m")
    return Entry(event.id, event.user_id, resource, amount, month)


def standings(lines: Sequence[Entry]) -> dict[UUID, Standing]:
    """Where each user must stand."""
    newest: dict[UUID, str] = {}
    for line in lines:
        newest[line.user_id] = max(line.month, newest.get(line.user_id, ""))
    used: Counter[tuple[UUID, str]] = Counter()
    for line in lines:
        if line.resource == "datasets" or line.month == newest[line.user_id]:
            used[line.user_id, line.resource] += line.amount
    return {
        user: Standing(
            used[user, "datasets"], used[user, "trainings"], used[user, "predictions"], month
        )
        for user, month in newest.items()
    }


def marks(lines: Sequence[Entry], people: Iterable[User]) -> Iterator[Mark]:
    """Every mark that must have been passed, whatever the order of counting."""
    limits = {person.id: LIMITS[person.plan] for person in people}
    for (user, resource, month), used in used_in_months(lines).items():
        limit = limits[user].get(resource)
        if limit is None:
            continue
        if used * 100 >= limit * 80:
            yield Mark(user, resource, month, "80")
        if used >= limit:
            yield Mark(user, resource, month, "100")
        if used > limit:
            yield Mark(user, resource, month, "exceeded")


def used_in_months(lines: Sequence[Entry]) -> dict[tuple[UUID, str, str], int]:
    """What was used of each resource in each month in which something was added to it.

    Data sets are there until they are deleted: those of the months before count too.
    """
    added: Counter[tuple[UUID, str, str]] = Counter()
    for line in lines:
        added[line.user_id, line.resource, line.month] += line.amount
    months = {line.month for line in lines}

    def used(user: UUID, resource: str, month: str) -> int:
        if resource != "datasets":
            return added[user, resource, month]
        return sum(added[user, resource, each] for each in months if each <= month)

    touched = {(line.user_id, line.resource, line.month) for line in lines if line.amount > 0}
    return {each: used(*each) for each in touched}
