"""The users of a run, and all events of their lives on the platform.

Whether a count of data sets that goes up and down touches a limit depends on the order of
counting, which the product does not promise. So users who delete data sets never come near a
limit.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from benchmarks.chaos.load.random_events import RandomEvents, TimedEvent
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
from runtime.assembly import Assembly

LATE_SHARE = 0.1  # of events that use a quota; late ones belong to last month's count
SAFE_DATASETS = 3  # a free plan allows 5, of which 80 % are 4: with 3 no mark can be touched
# Least and most rows of one prediction, so that some users of each plan pass its limit.
PREDICTED_ROWS = {"free": (5, 25), "pro": (300, 1_500), "enterprise": (1_000, 9_000)}
Fields = dict[str, Any]
# Users who pay have no sign-up event that would make their profile.
INSERT_PROFILE = text("INSERT INTO public.profiles (id, plan) VALUES (:id, :plan)")


@dataclass(frozen=True)
class User:
    """A user on a plan. Only those on the free plan sign up; the others are there already."""

    id: UUID
    plan: str
    deletes_account: bool = False


def random_users(draw: RandomEvents, count: int) -> list[User]:
    """Users on all plans, 8 % of whom delete their account."""
    plans = draw.random.choices(("free", "pro", "enterprise"), (60, 25, 15), k=count)
    return [User(draw.new_id(), plan, deletes_account=draw.chance(0.08)) for plan in plans]


def insert_paying_users(assembly: Assembly, users: Iterable[User]) -> None:
    """Make the profiles of those who pay for a plan; the others come by signing up."""
    with assembly.engine.begin() as connection:
        for user in users:
            if user.plan != "free":
                connection.execute(INSERT_PROFILE, {"id": user.id, "plan": user.plan})


def events_of_user(
    draw: RandomEvents, user: User, first: float, last: float
) -> Iterator[TimedEvent]:
    """All that a user does between two moments (s); one who deletes the account does little."""
    yield from identity(draw, user, first, last)
    if user.deletes_account:
        yield draw.event(UserDeleted, draw.random.uniform(first, last), user_id=user.id)
        return
    if user.plan != "free":
        yield from subscription(draw, user, first, last)
    yield from datasets(draw, user, first, last)
    for at in draw.times(draw.random.randint(0, 12), first, last):
        yield from training(draw, user, at, last)
    for at in draw.times(draw.random.randint(0, 9), first, last):
        rows = draw.random.randint(*PREDICTED_ROWS[user.plan])
        yield draw.event(
            PredictionMade,
            at,
            late=draw.chance(LATE_SHARE),
            user_id=user.id,
            model_id="m",
            prediction_count=rows,
        )


def identity(draw: RandomEvents, user: User, first: float, last: float) -> Iterator[TimedEvent]:
    """A sign-up, sometimes after the user's first other events, and changes of email and name."""
    signed_up = min(last, first + draw.random.uniform(0, 2))
    email = f"{user.id.hex[:8]}@example.com"
    yield draw.event(UserSignedUp, signed_up, user_id=user.id, email=email, name="Ada")
    for at in draw.times(draw.random.randint(0, 3), first, last):
        word = f"{draw.random.getrandbits(32):08x}"
        changed: Fields = {"email": f"{word}@example.com"} if draw.chance(0.5) else {"name": word}
        yield draw.event(UserUpdated, at, user_id=user.id, **changed)


def subscription(draw: RandomEvents, user: User, first: float, last: float) -> Iterator[TimedEvent]:
    """The two events of a user who begins to pay."""
    at = draw.random.uniform(first, last)
    bought: Fields = {"user_id": user.id, "plan": user.plan}
    yield draw.event(SubscriptionActivated, at, subscription_id=f"sub_{user.id.hex}", **bought)
    yield draw.event(PlanChanged, at, previous_plan="free", **bought)


def datasets(draw: RandomEvents, user: User, first: float, last: float) -> Iterator[TimedEvent]:
    """Uploads, and deletions of some of them."""
    count = draw.random.randint(0, 7)
    may_delete = user.plan != "free" or count <= SAFE_DATASETS
    for number, at in enumerate(draw.times(count, first, last)):
        ids: Fields = {"user_id": user.id, "dataset_id": f"{user.id.hex[:12]}-{number}"}
        size: Fields = {"filename": "a.csv", "size_mb": 1.0, "row_count": 9, "column_count": 3}
        yield draw.event(DatasetUploaded, at, late=draw.chance(LATE_SHARE), **ids, **size)
        if may_delete and draw.chance(0.3):
            yield draw.event(DatasetDeleted, draw.random.uniform(at, last), **ids)


def training(draw: RandomEvents, user: User, first: float, last: float) -> Iterator[TimedEvent]:
    """The events of one training, from its start to its end."""
    ids: Fields = {"user_id": user.id, "training_id": draw.new_id().hex}
    method: Fields = {"algorithm": "random_forest", "problem_type": "classification"}
    late, end = draw.chance(LATE_SHARE), min(last, first + draw.random.uniform(0.5, 6))
    data: Fields = {"dataset_id": "d", "dataset_size": 9}
    yield draw.event(TrainingStarted, first, late=late, **ids, **method, **data)
    for at in draw.times(draw.random.randint(1, 5), first, end):
        percent = round(100 * (at - first) / (end - first + 1e-9), 1)
        yield draw.event(TrainingProgressed, at, **ids, progress=percent, message="Learning")
    if draw.chance(0.15):
        yield draw.event(TrainingFailed, end, **ids, reason="The column is empty.")
    elif draw.chance(0.1):
        yield draw.event(TrainingCancelled, end, **ids)
    else:
        model: Fields = {
            "model_id": "m",
            "model_name": "M",
            "duration_seconds": 1.0,
            "accuracy": 0.9,
        }
        yield draw.event(TrainingCompleted, end, **ids, **method, **model)
