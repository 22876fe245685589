"""All event types: found by importing this package and those that extend it."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import ModuleType

from events.errors import DuplicateEvent, UnknownEvent
from events.event import Event


class Catalogue(Mapping[str, type[Event]]):
    """Event type → class. Raises UnknownEvent for a type that is not there."""

    def __init__(self, classes: Iterator[type[Event]]) -> None:
        self._classes: dict[str, type[Event]] = {}
        for each in classes:
            known = self._classes.setdefault(each.type, each)
            if known is not each:
                raise DuplicateEvent(f"{known.__name__} and {each.__name__} are both {each.type}.")

    def __getitem__(self, type_: str) -> type[Event]:
        try:
            return self._classes[type_]
        except KeyError:
            raise UnknownEvent(type_) from None

    def __contains__(self, type_: object) -> bool:
        return type_ in self._classes

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._classes))

    def __len__(self) -> int:
        return len(self._classes)

    def publishable(self) -> dict[str, type[Event]]:
        """The types that the HTTP API accepts: all that are not internal."""
        return {type_: self[type_] for type_ in self if not self[type_].is_internal}


def load_catalogue(*packages: str) -> Catalogue:
    """The catalogue of `events` and of further packages or modules, by their import names.

    Raises DuplicateEvent.
    """
    return Catalogue(
        each
        for name in ("events", *packages)
        for module in modules_of(name)
        for each in vars(module).values()
        if is_event_type(each)
    )


def is_event_type(value: object) -> bool:
    """Whether a module's value is the class of an event type, not a base such as UserEvent."""
    return isinstance(value, type) and issubclass(value, Event) and "type" in vars(value)


def modules_of(package: str) -> Iterator[ModuleType]:
    """Import a package or module; yield it and every module below it, at any depth."""
    root = importlib.import_module(package)
    yield root
    for found in pkgutil.walk_packages(getattr(root, "__path__", ()), f"{package}."):
        yield importlib.import_module(found.name)
