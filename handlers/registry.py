"""What a handler is, how a function becomes one, and how all of them are found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from errors import InsightsError
from events import Event
from events.catalogue import load_catalogue, modules_of
from handlers.order import check_names, check_order
from handlers.outcomes import Outcomes
from services import Services

CONCURRENCY = 2  # batches; while one waits for a commit or an answer, another is worked on
MAX_ATTEMPTS = 10  # with back-offs that double from 5 s on, they span about 40 minutes
LEASE = timedelta(seconds=30)  # renewed while its process lives, so only a bound for the worst case
LONGEST = timedelta(hours=1)  # work that takes longer is taken for stuck

TransactionalFunction = Callable[[Any, Session], Outcomes | None]
ExternalFunction = Callable[[Any, Services, Any], Event | Iterable[Event] | Outcomes | None]
OnDeath = Callable[[Any], Event]
IsOver = Callable[[Any, Session], bool]
Condition = Callable[[type[Event]], bool]


class DuplicateHandler(InsightsError):
    """Raised at start when two handlers have the same name."""


class Kind(StrEnum):
    """Where the effect is: in our database, or at a provider."""

    TRANSACTIONAL = "transactional"
    EXTERNAL = "external"


@dataclass(frozen=True, kw_only=True)
class Handler:
    """A function that follows events of some types, made by one of the two decorators.

    `batch`: the most events of one call. With 1 the function takes an event, else a sequence.
    `concurrency`: how many batches one worker process handles side by side.
    `max_attempts`: after how many failures of its own a delivery is dead.
    `after`: the handlers that must be done with an event first, where they follow it too.
    `lease`: how long a delivery that was claimed is not given to others; renewed while an external
    handler runs, for `longest` at most.
    `also`: a condition; the handler follows every type of the catalogue that meets it, too.
    `on_death`: makes the event that is published when a delivery dies, where somebody waits for
    the outcome. `is_over`: whether nobody waits any more, asked in the transaction that would
    publish it.
    `provider`: whose work it is. Nothing is owed to the handler while that provider is off, and a
    worker without the provider's key leaves its deliveries to others.
    """

    name: str
    function: TransactionalFunction | ExternalFunction
    events: tuple[type[Event], ...]
    kind: Kind
    batch: int
    concurrency: int
    max_attempts: int
    lease: timedelta
    longest: timedelta
    after: tuple[str, ...]
    on_death: OnDeath | None
    is_over: IsOver | None
    provider: str | None
    also: Condition | None = None
    types: Mapping[str, type[Event]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "types", {each.type: each for each in self.events})

    def __call__(self, events: Sequence[Event], *context: Any) -> Any:
        """Call the function: with all events where it takes a batch, else with the only one."""
        return self.function(events if self.batch > 1 else events[0], *context)


def transactional(  # noqa: PLR0913 (options, all of them keywords)
    name: str,
    *events: type[Event],
    batch: int = 1,
    concurrency: int = CONCURRENCY,
    max_attempts: int = MAX_ATTEMPTS,
    after: Iterable[str] = (),
    on_death: OnDeath | None = None,
    is_over: IsOver | None = None,
    also: Condition | None = None,
) -> Callable[[TransactionalFunction], Handler]:
    """Decorate `f(event or events, session)`: its effect commits with the delivery's deletion.

    So the effect happens exactly once. The options are explained at Handler.
    """

    def decorate(function: TransactionalFunction) -> Handler:
        return Handler(
            name=name,
            function=function,
            events=events,
            kind=Kind.TRANSACTIONAL,
            batch=batch,
            concurrency=concurrency,
            max_attempts=max_attempts,
            lease=LEASE,
            longest=LONGEST,
            after=tuple(after),
            on_death=on_death,
            is_over=is_over,
            provider=None,
            also=also,
        )

    return decorate


def external(  # noqa: PLR0913 (options, all of them keywords)
    name: str,
    *events: type[Event],
    batch: int = 1,
    concurrency: int = CONCURRENCY,
    max_attempts: int = MAX_ATTEMPTS,
    lease: timedelta = LEASE,
    longest: timedelta = LONGEST,
    after: Iterable[str] = (),
    on_death: OnDeath | None = None,
    is_over: IsOver | None = None,
    provider: str | None = None,
) -> Callable[[ExternalFunction], Handler]:
    """Decorate `f(event or events, services, key or keys)`: its effect is at a provider.

    No transaction is held during the call. After a crash it is repeated under the same
    idempotency key, so the effect happens at least once. Events that the function returns are
    published with the delivery's deletion. The options are explained at Handler.
    """

    def decorate(function: ExternalFunction) -> Handler:
        return Handler(
            name=name,
            function=function,
            events=events,
            kind=Kind.EXTERNAL,
            batch=batch,
            concurrency=concurrency,
            max_attempts=max_attempts,
            lease=lease,
            longest=longest,
            after=tuple(after),
            on_death=on_death,
            is_over=is_over,
            provider=provider,
        )

    return decorate


def load_handlers(*packages: str) -> dict[str, Handler]:
    """All handlers of `handlers` and of further packages or modules, by name.

    Raises DuplicateHandler, DuplicateEvent, WrongOrder.
    """
    found: dict[str, Handler] = {}
    for package in ("handlers", *packages):
        for module in modules_of(package):
            for value in vars(module).values():
                # A handler that a second module imports is the same object, not a second one.
                if isinstance(value, Handler) and found.setdefault(value.name, value) is not value:
                    raise DuplicateHandler(f"Two handlers are called '{value.name}'.")
    after = {name: handler.after for name, handler in found.items()}
    check_names(after)
    check_order(after)
    catalogue = load_catalogue(*packages)
    return {name: with_more_events(found[name], catalogue) for name in sorted(found)}


def with_more_events(handler: Handler, catalogue: Mapping[str, type[Event]]) -> Handler:
    """The handler with the types of a catalogue that meet its condition."""
    if handler.also is None:
        return handler
    more = (each for each in catalogue.values() if handler.also(each))
    return replace(handler, events=tuple(dict.fromkeys((*handler.events, *more))))
