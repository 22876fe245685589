"""What parameters an endpoint takes, and the refusal of all others.

A schema is a flat mapping of names to types: `items[].price` is the price of each item. A name
that ends in `!` is required. Types are `str`, `int`, `bool`, `float`, `decimal`, `map` (text by
text, as metadata) and `event_type`; other words are values of an enumeration. `|` joins
alternatives, and a type that ends in `?` takes an empty text too, which unsets it. `list` and
`object` stand for a container where only its being unset must be said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.objects import EVENT_TYPES

SCALARS = ("str", "int", "bool", "float", "decimal", "map", "event_type")
MAX_KEYS = 50  # of metadata (https://docs.stripe.com/metadata)
MAX_KEY, MAX_VALUE = 40, 500  # characters of a metadata key and value


@dataclass
class Node:
    """One parameter: the types that it takes, or the parameters inside it."""

    types: tuple[str, ...] = ()
    inside: dict[str, Node] = field(default_factory=dict)
    is_list: bool = False
    required: bool = False
    unsettable: bool = False


def schema_of(parameters: Mapping[str, str]) -> Node:
    """The tree of a flat schema."""
    root = Node()
    for name, types in parameters.items():
        node = root
        for part in name.rstrip("!").split("."):
            node = node.inside.setdefault(part.removesuffix("[]"), Node())
            node.is_list = node.is_list or part.endswith("[]")
        node.required = name.endswith("!")
        node.unsettable = types.endswith("?")
        node.types = tuple(
            each for each in types.rstrip("?").split("|") if each not in {"list", "object"}
        )
    return root


def check(node: Node, given: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """The parameters with their real types. Raises StripeError 400."""
    unknown = [name for name in given if name not in node.inside]
    if unknown:
        names = ", ".join(joined(path, name) for name in unknown)
        raise invalid(
            f"Received unknown parameter{'s' if len(unknown) > 1 else ''}: {names}",
            joined(path, unknown[0]),
            "parameter_unknown",
        )
    for name, child in node.inside.items():
        if child.required and name not in given:
            where = joined(path, name)
            raise invalid(f"Missing required param: {where}.", where, "parameter_missing")
    return {
        name: value_of(node.inside[name], value, joined(path, name))
        for name, value in given.items()
    }


def joined(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def value_of(node: Node, value: Any, path: str) -> Any:
    """One value. Raises StripeError 400."""
    if value == "" and node.unsettable:
        return ""
    if node.is_list:
        if not isinstance(value, list):
            raise invalid("Invalid array", path)
        return [single(node, each, f"{path}[{i}]") for i, each in enumerate(value)]
    return single(node, value, path)


def single(node: Node, value: Any, path: str) -> Any:
    if node.inside and isinstance(value, dict):
        return check(node, value, path)
    refusal = invalid("Invalid object", path) if not node.types else None
    for type_ in node.types:
        try:
            return scalar(type_, value, path)
        except StripeError as error:
            # What a type says is worth more than that the value is none of the enumeration.
            if refusal is None or type_ in SCALARS:
                refusal = error
    if refusal is None or not any(each in SCALARS for each in node.types):
        raise invalid(f"Invalid {path}: must be one of {' or '.join(node.types)}", path)
    raise refusal


def scalar(type_: str, value: Any, path: str) -> Any:
    """A text as the type that it stands for. Raises StripeError 400."""
    if type_ == "map":
        return text_map(value, path)
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {value}", path)
    if value == "":
        raise invalid(
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{path}' cannot be unset. You should remove '{path}' "
            "from your request or supply a non-empty value.",
            path,
            "parameter_invalid_empty",
        )
    if type_ not in READERS:
        if value != type_:
            raise invalid(f"Invalid {type_}: {value}", path)
        return value
    try:
        return READERS[type_](value)
    except ValueError:
        code = "parameter_invalid_integer" if type_ == "int" else None
        raise invalid(f"Invalid {NAMES.get(type_, type_)}: {value}", path, code) from None


def boolean(value: str) -> bool:
    """Raises ValueError."""
    if value not in {"true", "false"}:
        raise ValueError
    return value == "true"


def decimal(value: str) -> str:
    """The text of a number as it is. Raises ValueError."""
    try:
        if Decimal(value).is_finite():
            return value
    except InvalidOperation:
        pass
    raise ValueError


def event_type(value: str) -> str:
    """Raises ValueError where there are no such events."""
    if value not in EVENT_TYPES and value != "*":
        raise ValueError
    return value


READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "bool": boolean,
    "float": float,
    "decimal": decimal,
    "event_type": event_type,
}
NAMES = {"event_type": "event type", "int": "integer", "bool": "boolean"}


def text_map(value: Any, path: str) -> dict[str, str]:
    """Metadata or another map of texts. Raises StripeError 400."""
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise invalid("Invalid object", path)
    if len(value) > MAX_KEYS:
        raise invalid(f"Metadata can have up to {MAX_KEYS} keys", path)
    for key, each in value.items():
        if len(key) > MAX_KEY or len(each) > MAX_VALUE:
            raise invalid(
                f"Metadata keys have up to {MAX_KEY} characters, values {MAX_VALUE}", path
            )
    return value
