"""Marks the fields of events that are personal: they are erased when their user is deleted."""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

ERASED_AS = "x-erased-as"


def personal(erased_as: object = None) -> Any:
    """What marks a field, or a type of fields, as personal, inside of an `Annotated`.

    An optional field is removed when it is erased. A field that its type requires becomes
    `erased_as`, which must be a value that the field takes.
    """
    return Field(json_schema_extra={ERASED_AS: erased_as})  # type: ignore[dict-item]


def marks_in(rule: Any) -> Iterator[object]:
    """The marks anywhere in the JSON Schema of a field: what it is erased as."""
    match rule:
        case dict():
            if ERASED_AS in rule:
                yield rule[ERASED_AS]
            for inner in rule.values():
                yield from marks_in(inner)
        case list():
            for inner in rule:
                yield from marks_in(inner)
