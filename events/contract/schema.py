"""The catalogue as one JSON Schema document."""

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from events.errors import UnerasableField
from events.event import ENVELOPE, Event
from events.personal import marks_in
from models.events import ERASED

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def json_schema(catalogue: Mapping[str, type[Event]]) -> Schema:
    """A JSON Schema (2020-12) document with the CloudEvents `data` of each type under `$defs`.

    Beside the rules of the data stand `x-version`, `x-user-required` (the event must say whose it
    is), `x-kept` (it is never pruned) and `x-erased` (see `erasure_of`).
    """
    return {
        "$schema": DIALECT,
        "title": "Catalogue of events",
        "$defs": {type_: data_schema(catalogue[type_]) for type_ in sorted(catalogue)},
    }


def data_schema(class_: type[Event]) -> Schema:
    """The JSON Schema of the fields that a type adds to the envelope, without references.

    Raises UnerasableField.
    """
    whole = class_.model_json_schema()
    definitions, required = whole.get("$defs", {}), whole.get("required", [])
    properties = {
        name: inlined(rule, definitions)
        for name, rule in whole["properties"].items()
        if name not in ENVELOPE
    }
    return {
        "title": class_.__name__,
        "description": cleandoc(class_.__doc__ or ""),
        "type": "object",
        "properties": properties,
        "required": [name for name in required if name not in ENVELOPE],
        "additionalProperties": False,
        "x-version": class_.version,
        "x-user-required": "user_id" in required,
        "x-kept": class_.is_kept,
        "x-erased": erasure_of(class_, properties),
    }


def has_personal_fields(class_: type[Event]) -> bool:
    """Whether events of a type hold something that is erased when their user is deleted."""
    return bool(data_schema(class_)["x-erased"])


def erasure_of(class_: type[Event], properties: Schema) -> Schema:
    """What erasing makes of each personal field; null where the field is removed.

    Raises UnerasableField where the erased event would not fit its type.
    """
    if ERASED in class_.model_fields:
        raise UnerasableField(class_.type, ERASED, "its name is that of the mark of erased events")
    erased: Schema = {}
    for name, rule in properties.items():
        field = class_.model_fields[name]
        for mark in marks_in(rule):
            erased[name] = mark if field.is_required() else None
            if field.is_required() and not takes(field, mark):
                raise UnerasableField(class_.type, name, f"it does not take {mark!r}")
    return erased


def takes(field: FieldInfo, value: object) -> bool:
    """Whether a field accepts a value."""
    try:
        TypeAdapter(field.rebuild_annotation()).validate_python(value)
    except ValidationError:
        return False
    return True


def inlined(node: Any, definitions: Schema, inside: frozenset[str] = frozenset()) -> Any:
    """A schema with its references replaced, and without the titles that pydantic makes up.

    Where a definition contains itself, anything is allowed.
    """
    match node:
        case {"$ref": str(reference)}:
            name = reference.rsplit("/", 1)[1]
            if name in inside:
                return {}
            rest = {key: value for key, value in node.items() if key != "$ref"}
            return inlined(definitions[name], definitions, inside | {name}) | rest
        case dict():
            return {
                key: inlined(value, definitions, inside)
                for key, value in node.items()
                if not (key == "title" and isinstance(value, str))
            }
        case list():
            return [inlined(each, definitions, inside) for each in node]
        case _:
            return node
