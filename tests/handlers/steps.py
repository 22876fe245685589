"""Steps that tests of several handlers share."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from events import Event, TrainingRequested
from runtime.assembly import Assembly
from sandbox.posthog.project import Captured
from tests.doubles import Doubles
from tests.factories import publish_now
from tests.pipeline import Pipeline
from workers.in_hand import end_dead


def work_until_done(pipeline: Pipeline) -> None:
    """Handle what is due, and what comes back later, until nothing is owed."""
    for _ in range(4):
        pipeline.work()
        pipeline.pass_time()
    assert pipeline.owed() == []


def captured_after(pipeline: Pipeline, doubles: Doubles, *events: Event) -> Sequence[Captured]:
    """Publish events, handle all that is owed, and return what PostHog then has."""
    publish_now(pipeline.assembly, *events)
    work_until_done(pipeline)
    captured: Sequence[Captured] = doubles.posthog.events()
    return captured


def send_log_row(assembly: Assembly) -> Any:
    """The only row of the send log."""
    with assembly.engine.connect() as connection:
        return connection.execute(text("SELECT * FROM insights.emails")).one()


def try_once(pipeline: Pipeline) -> None:
    """Have the only handler that is rung for do what is due."""
    (name,) = pipeline.rung()
    pipeline.answer(name)


def let_others_go_on(pipeline: Pipeline) -> None:
    """Time passes in which the workers that have something in hand give no sign of life."""
    with pipeline.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.batches SET since = since - interval '20 s'"))
        end_dead(connection)
    pipeline.pass_time()


def wait_a_day(pipeline: Pipeline, doubles: Doubles) -> None:
    """Move time by 25 hours, after which Loops has forgotten its keys."""
    doubles.advance_clock(hours=25)
    pipeline.pass_time()
    with pipeline.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.emails SET tried_at = tried_at - interval '25 h'"))
        connection.execute(text("UPDATE insights.handlers SET resume_at = NULL"))


def requested(user_id: UUID, **fields: Any) -> TrainingRequested:
    """A request to train the model t1 on the data set `tumours`."""
    given = {
        "training_id": "t1",
        "dataset_id": "tumours",
        "target": "target",
        "model_name": "Tumours",
        "hyperparameters": {"n_estimators": 20},
    }
    return TrainingRequested(user_id=user_id, **given | fields)


def published(assembly: Assembly) -> Sequence[Any]:
    """Type, user and data of all events but requests, in the order in which they happened."""
    with assembly.engine.connect() as connection:
        return connection.execute(
            text(
                "SELECT type, user_id, data FROM insights.events "
                "WHERE type <> 'training.requested' ORDER BY occurred_at"
            )
        ).all()
