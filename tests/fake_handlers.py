"""Fake handlers: they do what a test chooses, and remember the events that they were given."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from events import Event, PredictionMade
from handlers import Handler, external, transactional
from services import Services

Behaviour = Callable[[Sequence[Event]], Any]


@dataclass
class FakeEffect:
    """Calls `behave` with the events, and remembers their ids, call by call.

    `keys` are the idempotency keys of all calls to a provider.
    """

    behave: Behaviour = lambda _events: None
    calls: list[list[UUID]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def __call__(self, events: Sequence[Event]) -> Any:
        self.calls.append([event.id for event in events])
        return self.behave(events)

    @property
    def seen(self) -> list[UUID]:
        return [id_ for call in self.calls for id_ in call]


def raising(
    make_error: Callable[[], BaseException], events: Collection[UUID] | None = None
) -> Behaviour:
    """Raise whenever a batch holds one of these events; without `events`, always."""

    def fail(batch: Sequence[Event]) -> None:
        if events is None or any(event.id in events for event in batch):
            raise make_error()

    return fail


def transactional_handler(
    effect: FakeEffect, name: str = "transactional", **options: Any
) -> Handler:
    """A handler that follows `prediction.made` and writes each event into the usage ledger."""

    @transactional(name, PredictionMade, **({"batch": 100} | options))
    def write(events: Sequence[Event] | Event, session: Session) -> Any:
        many = events if isinstance(events, Sequence) else [events]
        for event in many:
            session.execute(
                text("INSERT INTO insights.usage_ledger VALUES (:id, :id, 'predictions', 1, 'x')"),
                {"id": event.id},
            )
        return effect(many)

    return write


def external_handler(effect: FakeEffect, name: str = "external", **options: Any) -> Handler:
    """A handler that follows `prediction.made` and writes nothing of ours."""

    @external(name, PredictionMade, **({"batch": 100} | options))
    def call(events: Sequence[Event] | Event, services: Services, keys: Any) -> Any:
        effect.keys += [keys] if isinstance(keys, str) else keys
        return effect(events if isinstance(events, Sequence) else [events])

    return call


BOTH_KINDS = pytest.mark.parametrize(
    "make_handler", [transactional_handler, external_handler], ids=["transactional", "external"]
)
