"""A worker looks into the database itself: no lost bell, no absent broker keeps work waiting."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ResourceClosedError

from handlers import Handler
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import FakeEffect, external_handler
from tests.pipeline import Pipeline
from workers.lookout import LOOKS_UNTIL_SUSPECT, Lookout


class Watched:
    """A lookout, which handlers it rang for, and of which queues it doubts the broker."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.rung: list[str] = []
        self.suspect: list[str] = []
        self.lookout = Lookout(
            pipeline.runner, list(pipeline.handlers.values()), self.ring, self.suspect.append
        )

    def ring(self, handler: Handler) -> None:
        self.rung.append(handler.name)


def test_what_is_due_at_two_looks_is_rung_for(assembly: Assembly, pipeline: Pipeline) -> None:
    pipeline.follow(external_handler(FakeEffect()))
    publish_now(assembly, *predictions_made(3))
    watched = Watched(pipeline)

    watched.lookout.look()
    assert watched.rung == []
    watched.lookout.look()
    assert watched.rung == ["external"]


def test_what_is_being_taken_is_not_rung_for(assembly: Assembly, pipeline: Pipeline) -> None:
    pipeline.follow(external_handler(FakeEffect()))
    watched = Watched(pipeline)
    for _ in range(3):
        publish_now(assembly, *predictions_made(3))
        watched.lookout.look()
        pipeline.work()

    assert watched.rung == []


def test_what_was_put_off_and_is_due_is_rung_for(assembly: Assembly, pipeline: Pipeline) -> None:
    pipeline.follow(external_handler(FakeEffect()))
    publish_now(assembly, *predictions_made(3))
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET due_at = now() - interval '1 s'"))
    watched = Watched(pipeline)

    watched.lookout.look()
    watched.lookout.look()

    assert watched.rung == ["external"]


def test_a_broker_whose_bells_are_not_heard_for_five_seconds_is_suspect(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(external_handler(FakeEffect()))
    publish_now(assembly, *predictions_made())
    watched = Watched(pipeline)

    for _ in range(LOOKS_UNTIL_SUSPECT):
        watched.lookout.look()
    assert watched.suspect == []
    watched.lookout.look()
    assert watched.suspect == ["external"]


def test_whatever_happens_it_looks_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.lookout.LOOK_EVERY", 0.01)
    errors = iter([RuntimeError, ResourceClosedError])
    stopping = pipeline.runner.stopping

    def fail() -> None:
        if error := next(errors, None):
            raise error
        stopping.set()

    lookout = Lookout(pipeline.runner, [], print, print, fail)

    lookout.run()

    assert stopping.is_set()
