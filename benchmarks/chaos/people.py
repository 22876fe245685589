"""Who uses the platform in a run, and what they do.

Whether a count of data sets that goes up and down touches a limit depends on the order in which
it is counted, which nobody promises. So people who delete data sets never come near a limit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from benchmarks.chaos.draw import Draw, Timed
from events import (
    DatasetDeleted,
    DatasetUploaded,
    PlanChanged,
    PredictionMade,
    SubscriptionActivated,
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingProgressed,
    TrainingStarted,
    UserDeleted,
    UserSignedUp,
    UserUpdated,
)

LATE = 0.1
FEW_DATASETS = 3
ROWS_PREDICTED = {"free": (5, 25), "pro": (300, 1_500), "enterprise": (1_000, 9_000)}
Data = dict[str, Any]


@dataclass(frozen=True)
class User:
    """Somebody on a plan. Only those on the free plan come by signing up."""

    id: UUID
    plan: str
    leaves: bool = False


def some_people(draw: Draw, count: int) -> list[User]:
    """People on all plans, of whom a few leave."""
    plans = draw.choice.choices(("free", "pro", "enterprise"), (60, 25, 15), k=count)
    return [User(draw.id(), plan, leaves=draw.chance(0.08)) for plan in plans]


def life(draw: Draw, person: User, first: float, last: float) -> Iterator[Timed]:
    """All that a person does between two moments; whoever leaves does little."""
    yield from identity(draw, person, first, last)
    if person.leaves:
        yield draw.event(UserDeleted, draw.choice.uniform(first, last), user_id=person.id)
        return
    if person.plan != "free":
        yield from subscription(draw, person, first, last)
    yield from datasets(draw, person, first, last)
    for at in draw.times(draw.choice.randint(0, 12), first, last):
        yield from training(draw, person, at, last)
    for at in draw.times(draw.choice.randint(0, 9), first, last):
        count = draw.choice.randint(*ROWS_PREDICTED[person.plan])
        yield draw.event(
            PredictionMade,
            at,
            late=draw.chance(LATE),
            user_id=person.id,
            model_id="m",
            prediction_count=count,
        )


def identity(draw: Draw, person: User, first: float, last: float) -> Iterator[Timed]:
    """A sign-up, now and then after the first deeds, and changes of address and name."""
    signed_up = min(last, first + draw.choice.uniform(0, 2))
    email = f"{person.id.hex[:8]}@example.com"
    yield draw.event(UserSignedUp, signed_up, user_id=person.id, email=email, name="Ada")
    for at in draw.times(draw.choice.randint(0, 3), first, last):
        word = f"{draw.choice.getrandbits(32):08x}"
        new: Data = {"email": f"{word}@example.com"} if draw.chance(0.5) else {"name": word}
        yield draw.event(UserUpdated, at, user_id=person.id, **new)


def subscription(draw: Draw, person: User, first: float, last: float) -> Iterator[Timed]:
    """What is told once somebody pays."""
    at = draw.choice.uniform(first, last)
    bought: Data = {"user_id": person.id, "plan": person.plan}
    yield draw.event(SubscriptionActivated, at, subscription_id=f"sub_{person.id.hex}", **bought)
    yield draw.event(PlanChanged, at, previous_plan="free", **bought)


def datasets(draw: Draw, person: User, first: float, last: float) -> Iterator[Timed]:
    """Uploads, and deletions of some of them."""
    count = draw.choice.randint(0, 7)
    may_delete = person.plan != "free" or count <= FEW_DATASETS
    for number, at in enumerate(draw.times(count, first, last)):
        named: Data = {"user_id": person.id, "dataset_id": f"{person.id.hex[:12]}-{number}"}
        size: Data = {"filename": "a.csv", "size_mb": 1.0, "row_count": 9, "column_count": 3}
        yield draw.event(DatasetUploaded, at, late=draw.chance(LATE), **named, **size)
        if may_delete and draw.chance(0.3):
            yield draw.event(DatasetDeleted, draw.choice.uniform(at, last), **named)


def training(draw: Draw, person: User, first: float, last: float) -> Iterator[Timed]:
    """The news of one training, up to its end."""
    named: Data = {"user_id": person.id, "training_id": draw.id().hex}
    made: Data = {"algorithm": "random_forest", "problem_type": "classification"}
    late, end = draw.chance(LATE), min(last, first + draw.choice.uniform(0.5, 6))
    data: Data = {"dataset_id": "d", "dataset_size": 9}
    yield draw.event(TrainingStarted, first, late=late, **named, **made, **data)
    for at in draw.times(draw.choice.randint(1, 5), first, end):
        percent = round(100 * (at - first) / (end - first + 1e-9), 1)
        yield draw.event(TrainingProgressed, at, **named, progress=percent, message="Learning")
    if draw.chance(0.15):
        yield draw.event(TrainingFailed, end, **named, reason="The column is empty.")
    elif draw.chance(0.1):
        yield draw.event(TrainingCancelled, end, **named)
    else:
        model: Data = {"model_id": "m", "model_name": "M", "duration_seconds": 1.0, "accuracy": 0.9}
        yield draw.event(TrainingCompleted, end, **named, **made, **model)
