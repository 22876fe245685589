"""Any order, duplication and split of a training's events ends in the same `training:{id}`.

Of two states the later one stands, but a final one is never replaced by one that is not.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import (
    Event,
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingProgressed,
    TrainingRequested,
    TrainingStarted,
    uuid7,
)
from runtime.assembly import Assembly
from tests.factories import publish_now
from tests.handlers.laws import batches, quick_law
from tests.pipeline import Pipeline

if TYPE_CHECKING:
    from redis.client import PubSub

NOON = datetime(2025, 10, 20, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
USER = uuid7()
FINAL_STATUSES = ("completed", "failed", "cancelled")
OVER = b"over"

Kind = tuple[type[Event], dict[str, Any]]
Update = tuple[Kind, datetime]

DATASET = {"dataset_id": "d", "algorithm": "a", "problem_type": "regression"}
REQUEST: Kind = (TrainingRequested, {"dataset_id": "d", "target": "y", "model_name": "M"})
START: Kind = (TrainingStarted, DATASET | {"dataset_size": 1})
MODEL = {"model_id": "m", "model_name": "M", "algorithm": "a", "problem_type": "regression"}
NOT_FINAL: list[Kind] = [
    REQUEST,
    START,
    *(
        (TrainingProgressed, {"progress": progress, "message": message})
        for progress in (0, 12.5, 50, 100)
        for message in ("Reading", "Émile", "a 'quote' and a \"quote\"")
    ),
]
FINAL: list[Kind] = [
    (TrainingCompleted, MODEL | {"duration_seconds": 1}),
    (TrainingFailed, {"reason": "The file is empty."}),
    (TrainingFailed, {"reason": "The file is no CSV."}),
    (TrainingCancelled, {}),
]
INSTANTS = st.integers(0, 2).map(lambda step: NOON + timedelta(microseconds=step))


def updates(*kinds: Kind) -> st.SearchStrategy[Update]:
    """Updates of some kinds, often of the same instant."""
    return st.tuples(st.sampled_from(kinds), INSTANTS)


def events_of(training: str, changes: Sequence[Update]) -> list[Event]:
    return [
        class_.model_validate({"user_id": USER, "training_id": training, "occurred_at": at} | data)
        for (class_, data), at in changes
    ]


def shown_after(event: Event) -> dict[str, Any]:
    """What the page is to show after an event."""
    words: dict[type[Event], tuple[str, float, str]] = {
        TrainingRequested: ("queued", 0, "Waiting for a worker"),
        TrainingStarted: ("running", 0, "Started"),
        TrainingCompleted: ("completed", 100, "Done"),
        TrainingFailed: ("failed", 100, event.data.get("reason", "")),
        TrainingCancelled: ("cancelled", 100, "Cancelled"),
        TrainingProgressed: (
            "running",
            event.data.get("progress", 0),
            event.data.get("message", ""),
        ),
    }
    status, progress, message = words[type(event)]
    at = (event.occurred_at - EPOCH) // timedelta(microseconds=1)
    return {
        "progress": progress,
        "message": message,
        "status": status,
        "updated_at": at // 1000,
        "version": at,
    }


def rank(shown: dict[str, Any]) -> tuple[Any, ...]:
    """Of two states the one of the greater rank stands; what follows the time breaks ties."""
    status, message = shown["status"], shown["message"]
    at, progress = shown["version"], shown["progress"]
    return status in FINAL_STATUSES, at, progress, status != "queued", message.encode(), status


def read(assembly: Assembly, training: str) -> dict[str, Any]:
    """The hash, its numbers read as numbers."""
    stored = cast("dict[bytes, bytes]", assembly.redis.hgetall(f"training:{training}"))
    found: dict[str, Any] = {key.decode(): value.decode() for key, value in stored.items()}
    numbers = {name: float(found[name]) for name in ("progress", "updated_at", "version")}
    return found | numbers


@contextmanager
def subscribed(assembly: Assembly, training: str) -> Iterator["PubSub"]:
    """A subscription to the training's channel from the start."""
    with assembly.redis.pubsub(ignore_subscribe_messages=True) as subscription:  # type: ignore[no-untyped-call]
        subscription.subscribe(f"training:{training}")
        assert subscription.get_message(timeout=5) is None
        yield subscription


def received(assembly: Assembly, training: str, subscription: "PubSub") -> list[dict[str, Any]]:
    """All messages until now."""
    assembly.redis.publish(f"training:{training}", OVER)
    messages: list[dict[str, Any]] = []
    for message in subscription.listen():  # type: ignore[no-untyped-call]
        if message["data"] == OVER:
            return messages
        messages.append(json.loads(message["data"]))
    raise AssertionError("unreachable")


def show(assembly: Assembly, batch: list[Event]) -> None:
    assembly.handlers["progress"](batch, assembly.services, [str(event.id) for event in batch])


@given(data=st.data(), changes=st.lists(updates(*NOT_FINAL, *FINAL), min_size=1, max_size=8))
@quick_law
def test_what_is_shown_depends_on_the_events_alone_and_only_gets_newer(
    assembly: Assembly, data: st.DataObject, changes: list[Update]
) -> None:
    training = uuid7().hex
    events = events_of(training, changes)
    with subscribed(assembly, training) as subscription:
        for batch in data.draw(batches(events)):
            show(assembly, batch)
        messages = received(assembly, training, subscription)

    last = max(map(shown_after, events), key=rank)
    assert read(assembly, training) == last
    assert messages[-1] == last
    assert [rank(state) for state in messages] == sorted({rank(state) for state in messages})


@given(
    data=st.data(),
    before=st.lists(updates(*NOT_FINAL), max_size=5),
    end=updates(*FINAL),
    after=st.lists(updates(*NOT_FINAL), min_size=1, max_size=5),
)
@quick_law
def test_a_finished_training_stays_finished(
    assembly: Assembly, data: st.DataObject, before: list[Update], end: Update, after: list[Update]
) -> None:
    training = uuid7().hex
    (finish,) = events_of(training, [end])
    show(assembly, [*events_of(training, before), finish])
    with subscribed(assembly, training) as subscription:
        for batch in data.draw(batches(events_of(training, after))):
            show(assembly, batch)
        assert received(assembly, training, subscription) == []

    assert read(assembly, training) == shown_after(finish)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_a_request_and_a_start_of_the_same_instant_the_start_is_shown(
    assembly: Assembly, order: tuple[int, int]
) -> None:
    training = uuid7().hex
    events = events_of(training, [(REQUEST, NOON), (START, NOON)])
    show(assembly, [events[index] for index in order])

    assert read(assembly, training)["status"] == "running"


def test_progress_goes_from_the_event_to_the_page(assembly: Assembly, pipeline: Pipeline) -> None:
    training = uuid7().hex
    half, quarter = (
        TrainingProgressed(
            user_id=USER, training_id=training, progress=progress, message="", occurred_at=at
        )
        for progress, at in ((50, NOON + timedelta(seconds=1)), (25, NOON))
    )
    pipeline.follow(assembly.handlers["progress"])
    publish_now(assembly, half, quarter)
    with subscribed(assembly, training) as subscription:
        pipeline.work()
        assert received(assembly, training, subscription)[-1] == shown_after(half)

    assert pipeline.owed() == []
    assert read(assembly, training) == shown_after(half)
    assert 0 < assembly.redis.ttl(f"training:{training}") <= 7 * 24 * 3600
