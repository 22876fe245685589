"""What users must have used, counted in plain Python from the published events."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import NamedTuple
from uuid import UUID

from benchmarks.chaos.load.users import User
from events import DatasetDeleted, DatasetUploaded, Event, PredictionMade, TrainingStarted

# Written down again on purpose: a limit that the product gets wrong must be found.
LIMITS: Mapping[str, Mapping[str, int]] = {
    "free": {"datasets": 5, "trainings": 10, "predictions": 100},
    "pro": {"trainings": 100, "predictions": 5_000},
    "enterprise": {},
}


class LedgerEntry(NamedTuple):
    """One row of the usage ledger; `month` is like '2026-11', in UTC."""

    event_id: UUID
    user_id: UUID
    resource: str
    amount: int
    month: str


class UsageMark(NamedTuple):
    """A mark of a limit that a user reached: '80' or '100' percent, or 'exceeded'."""

    user_id: UUID
    resource: str
    month: str
    limit: int
    mark: str


@dataclass(frozen=True)
class Counters:
    """A row of usage_limits: data sets in all, the rest in the newest month with any usage."""

    datasets: int
    trainings: int
    predictions: int
    month: str


def ledger_entries(events: Iterable[Event]) -> Iterator[LedgerEntry]:
    """An entry per event that uses something."""
    for event in events:
        match event:
            case DatasetUploaded():
                yield ledger_entry(event, "datasets", 1)
            case DatasetDeleted():
                yield ledger_entry(event, "datasets", -1)
            case TrainingStarted():
                yield ledger_entry(event, "trainings", 1)
            case PredictionMade(prediction_count=count):
                yield ledger_entry(event, "predictions", count)


def ledger_entry(event: Event, resource: str, amount: int) -> LedgerEntry:
    """An entry in the month in which the event occurred."""
    if event.user_id is None:
        raise TypeError(event.type)
    month = event.occurred_at.astimezone(UTC).strftime("%Y-%m")
    return LedgerEntry(event.id, event.user_id, resource, amount, month)


def usage_counters(entries: Sequence[LedgerEntry]) -> dict[UUID, Counters]:
    """The counters of each user."""
    newest: dict[UUID, str] = {}
    for entry in entries:
        newest[entry.user_id] = max(entry.month, newest.get(entry.user_id, ""))
    used: Counter[tuple[UUID, str]] = Counter()
    for entry in entries:
        if entry.resource == "datasets" or entry.month == newest[entry.user_id]:
            used[entry.user_id, entry.resource] += entry.amount
    return {
        user: Counters(
            used[user, "datasets"], used[user, "trainings"], used[user, "predictions"], month
        )
        for user, month in newest.items()
    }


def usage_marks(entries: Sequence[LedgerEntry], users: Iterable[User]) -> Iterator[UsageMark]:
    """Every mark that must have been reached, whatever the order of counting."""
    limits = {user.id: LIMITS[user.plan] for user in users}
    for (user, resource, month), used in used_by_month(entries).items():
        limit = limits[user].get(resource)
        if limit is None:
            continue
        if used * 100 >= limit * 80:
            yield UsageMark(user, resource, month, limit, "80")
        if used >= limit:
            yield UsageMark(user, resource, month, limit, "100")
        if used > limit:
            yield UsageMark(user, resource, month, limit, "exceeded")


def used_by_month(entries: Sequence[LedgerEntry]) -> dict[tuple[UUID, str, str], int]:
    """Usage by user, resource and month, for the months in which some was added.

    Data sets exist until they are deleted, so those of earlier months count too.
    """
    added: Counter[tuple[UUID, str, str]] = Counter()
    for entry in entries:
        added[entry.user_id, entry.resource, entry.month] += entry.amount
    months = {entry.month for entry in entries}

    def used(user: UUID, resource: str, month: str) -> int:
        if resource != "datasets":
            return added[user, resource, month]
        return sum(added[user, resource, each] for each in months if each <= month)

    touched = {(each.user_id, each.resource, each.month) for each in entries if each.amount > 0}
    return {each: used(*each) for each in touched}
