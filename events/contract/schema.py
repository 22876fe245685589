"""The catalogue as one JSON Schema document."""

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

from events.event import ENVELOPE, Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def json_schema(catalogue: Mapping[str, type[Event]]) -> Schema:
    """A JSON Schema (2020-12) document with the CloudEvents `data` of each type under `$defs`.

    Beside the rules of the data stand `x-version`, `x-user-required` (the event must say whose it
    is) and `x-kept` (it is never pruned).
    """
    return {
        "$schema": DIALECT,
        "title": "Catalogue of events",
        "$defs": {type_: data_schema(catalogue[type_]) for type_ in sorted(catalogue)},
    }


def data_schema(class_: type[Event]) -> Schema:
    """The JSON Schema of the fields that a type adds to the envelope, without references."""
    whole = class_.model_json_schema()
    definitions, required = whole.get("$defs", {}), whole.get("required", [])
    return {
        "title": class_.__name__,
        "description": cleandoc(class_.__doc__ or ""),
        "type": "object",
        "properties": {
            name: inlined(rule, definitions)
            for name, rule in whole["properties"].items()
            if name not in ENVELOPE
        },
        "required": [name for name in required if name not in ENVELOPE],
        "additionalProperties": False,
        "x-version": class_.version,
        "x-user-required": "user_id" in required,
        "x-kept": class_.is_kept,
    }


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
