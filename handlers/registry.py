"""What a handler is, and how all of them are found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from errors import InsightsError
from events import Event
from events.catalogue import modules_of


class DuplicateHandler(InsightsError):
    """Raised at start when two handlers claim one name."""


class Kind(StrEnum):
    """Where the effect is: in our database, or with somebody else."""

    TRANSACTIONAL = "transactional"
    EXTERNAL = "external"


@dataclass(frozen=True, kw_only=True)
class Handler:
    """What follows from some events.

    `batch` is the most events handed over at once, 1 for a function that takes a single event.
    `concurrency` is how many batches one worker process handles side by side. A delivery is
    dead after `max_attempts` failures of its own. `lease` is how long a delivery that was sent
    is not sent again; while an external handler runs, its lease is extended. `on_death` makes
    the event that is published when a delivery dies, for those who wait for its outcome.
    """

    name: str
    function: Callable[..., Any]
    events: tuple[type[Event], ...]
    kind: Kind
    batch: int = 1
    concurrency: int = 2
    max_attempts: int = 10
    lease: timedelta = timedelta(seconds=30)
    on_death: Callable[[Any], Event] | None = None
    types: Mapping[str, type[Event]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "types", {each.type: each for each in self.events})

    def __call__(self, events: Sequence[Event], *context: Any) -> Any:
        """Hand the events over in the form that the function takes."""
        return self.function(events if self.batch > 1 else events[0], *context)


def transactional(name: str, *events: type[Event], **options: Any) -> Callable[..., Handler]:
    """Decorate `f(event or events, session)`: its effect commits with the debt's deletion.

    The effect happens exactly once. Options are the fields of Handler.
    """
    return _decorator(Kind.TRANSACTIONAL, name, events, options)


def external(name: str, *events: type[Event], **options: Any) -> Callable[..., Handler]:
    """Decorate `f(event or events, services, key or keys)`: its effect is with somebody else.

    No transaction is held meanwhile, and a crash repeats the call under the same idempotency
    key. Events that the function returns are published with the debt's deletion.
    """
    return _decorator(Kind.EXTERNAL, name, events, options)


def load_handlers(*packages: str) -> dict[str, Handler]:
    """Every handler of `handlers` and of further packages or modules, by name."""
    found: dict[str, Handler] = {}
    for package in ("handlers", *packages):
        for module in modules_of(package):
            for value in vars(module).values():
                if isinstance(value, Handler) and found.setdefault(value.name, value) is not value:
                    raise DuplicateHandler(f"Two handlers are called '{value.name}'.")
    return dict(sorted(found.items()))


def _decorator(
    kind: Kind, name: str, events: tuple[type[Event], ...], options: dict[str, Any]
) -> Callable[[Callable[..., Any]], Handler]:
    def decorate(function: Callable[..., Any]) -> Handler:
        return Handler(name=name, function=function, events=events, kind=kind, **options)

    return decorate
