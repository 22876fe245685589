"""Any order, any duplication and any split into batches of the same events ends in the same usage.

Of data sets, the marks are compared only where none is deleted: whether a gauge that went up and
down passed its limit depends on the order by nature.
"""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from events import DatasetDeleted, Event, PredictionMade
from tests.factories import dataset_uploaded, owe, publish_now, sign_up, training_started
from tests.handlers.expected_usage import expected, stored
from tests.handlers.laws import batches, law
from tests.pipeline import Pipeline

MOMENTS = [
    datetime.fromisoformat(moment)
    for moment in (
        "2025-08-31T23:59:59.999999+00:00",
        "2025-09-01T00:00:00+00:00",
        "2025-09-30T23:59:59.999999+00:00",
        "2025-10-01T00:00:00+00:00",
        "2025-10-20T12:00:00+00:00",
    )
]
ZONES = [timezone(timedelta(hours=hours)) for hours in (0, 14, -12)]


@st.composite
def uses(draw: st.DrawFn, *kinds: str) -> list[tuple[int, str, int, datetime]]:
    """Uses by two users: who, what, how much or which data set, when."""
    bursts = st.tuples(
        st.integers(0, 1),
        st.sampled_from(kinds),
        st.integers(1, 6),
        st.sampled_from(MOMENTS),
        st.sampled_from(ZONES),
    )
    return [
        (user_index, kind, size if kind == "predict" else number, moment.astimezone(zone))
        for user_index, kind, size, moment, zone in draw(st.lists(bursts, min_size=1, max_size=8))
        for number in range(1 if kind == "predict" else size)
    ]


def events_of(users: list[UUID], used: list[tuple[int, str, int, datetime]]) -> list[Event]:
    make: dict[str, Callable[[UUID, int, datetime], Event]] = {
        "upload": lambda user, number, at: dataset_uploaded(user, at, f"d-{number}"),
        "delete": lambda user, number, at: DatasetDeleted(
            user_id=user, occurred_at=at, dataset_id=f"d-{number}"
        ),
        "train": lambda user, _, at: training_started(user, at),
        "predict": lambda user, size, at: PredictionMade(
            user_id=user, occurred_at=at, model_id="m", prediction_count=size * 20
        ),
    }
    return [make[kind](users[user_index], size, at) for user_index, kind, size, at in used]


def handle(pipeline: Pipeline, batch: list[Event]) -> None:
    """Publish and owe a batch, even if that was done before, and hear its bell twice."""
    publish_now(pipeline.assembly, *batch)
    with pipeline.assembly.engine.begin() as connection:
        owe(connection, "usage", *(event.id for event in batch))
    for name in pipeline.rung():
        pipeline.answer(name)
        pipeline.answer(name)


@given(data=st.data(), used=uses("upload", "train", "predict"))
@law
def test_usage_marks_and_published_events_depend_on_the_events_alone(
    pipeline: Pipeline, data: st.DataObject, used: list[tuple[int, str, int, datetime]]
) -> None:
    pipeline.follow(pipeline.assembly.handlers["usage"])
    plans = data.draw(
        st.lists(st.sampled_from(["free", "free", "pro", "enterprise"]), min_size=2, max_size=2)
    )
    users = [sign_up(pipeline.assembly, plan) for plan in plans]
    events = events_of(users, used)

    for batch in data.draw(batches(events)):
        handle(pipeline, batch)

    assert stored(pipeline.assembly, users) == expected(
        dict(zip(users, plans, strict=True)), events
    )
    assert pipeline.owed() == []


@given(data=st.data(), used=uses("upload", "delete", "train"))
@law
def test_usage_with_deletions_depends_on_the_events_alone(
    pipeline: Pipeline, data: st.DataObject, used: list[tuple[int, str, int, datetime]]
) -> None:
    pipeline.follow(pipeline.assembly.handlers["usage"])
    users = [sign_up(pipeline.assembly) for _ in range(2)]
    events = events_of(users, used)

    for batch in data.draw(batches(events)):
        handle(pipeline, batch)

    counted = stored(pipeline.assembly, users).without_data_set_marks()
    assert counted == expected(dict.fromkeys(users, "free"), events).without_data_set_marks()
