"""Handlers whose behaviour a test chooses, and what they did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from events import Event, PredictionMade
from handlers import Handler, external, transactional
from services import Services


@dataclass
class Doing:
    """Calls `behave` with the events, and remembers which it saw, call by call."""

    behave: Callable[[Sequence[Event]], Any] = lambda _events: None
    calls: list[list[UUID]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def __call__(self, events: Sequence[Event]) -> Any:
        self.calls.append([event.id for event in events])
        return self.behave(events)

    @property
    def seen(self) -> list[UUID]:
        return [id_ for call in self.calls for id_ in call]


def writing(doing: Doing, name: str = "writing", **options: Any) -> Handler:
    """A transactional handler that notes each event in a table, exactly once."""

    @transactional(name, PredictionMade, **({"batch": 100} | options))
    def write(events: Sequence[Event] | Event, session: Session) -> Any:
        many = events if isinstance(events, Sequence) else [events]
        for event in many:
            session.execute(
                text("INSERT INTO insights.usage_ledger VALUES (:id, :id, 'predictions', 1, 'x')"),
                {"id": event.id},
            )
        return doing(many)

    return write


def calling(doing: Doing, name: str = "calling", **options: Any) -> Handler:
    """An external handler."""

    @external(name, PredictionMade, **({"batch": 100} | options))
    def call(events: Sequence[Event] | Event, services: Services, keys: Any) -> Any:
        doing.keys += [keys] if isinstance(keys, str) else keys
        return doing(events if isinstance(events, Sequence) else [events])

    return call
