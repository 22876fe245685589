"""Whether parameters and objects of the double are such as the installed SDK declares them."""

import inspect
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, get_args, get_origin

from stripe._stripe_object import StripeObject

from sandbox.stripe.endpoints import Endpoint
from sandbox.stripe.objects import EVENT_TYPES
from sandbox.stripe.schema import SCALARS, Node
from tests.sandbox.stripe.sdk_types import (
    CLASSES,
    alternatives,
    class_of,
    fields_of,
    is_nullable,
    literals,
    requests,
)

# How the schemas of the double call the types of the SDK.
TYPES = {"str": str, "int": int, "bool": bool, "float": float, "decimal": Decimal}


def wrong_parameters(endpoint: Endpoint) -> list[str]:
    """What an endpoint takes and the SDK does not send, or sends in another type."""
    key = (endpoint.method, re.sub(r"\{\w+\}", "{}", endpoint.path))
    if key not in requests():
        return [f"{key}: the SDK sends no such request"]
    params = requests()[key]
    if params is None:
        return [f"{key}: {name}" for name in endpoint.parameters]
    return [f"{key}: {each}" for each in wrong_fields(endpoint.schema, params)]


def wrong_fields(node: Node, params: type) -> Iterator[str]:
    """The fields of a schema that a TypedDict has not, or in another type."""
    fields = fields_of(params)
    for name, child in node.inside.items():
        if name not in fields:
            yield f"{name} is unknown"
            continue
        required = "NotRequired" not in str(fields[name])
        # The double may insist on more than the SDK's types can say, never on less.
        if required and not child.required:
            yield f"{name} is required"
        types = list(alternatives(fields[name], params.__module__))
        yield from (f"{name}: {each}" for each in wrong_types(child, types, params.__module__))
    missing = [
        name
        for name, each in fields.items()
        if "NotRequired" not in str(each) and name not in node.inside
    ]
    yield from (f"{name} is required and not taken" for name in missing)


def wrong_types(node: Node, types: list[Any], module: str) -> Iterator[str]:
    """What a parameter's types say that the SDK's do not."""
    values = set().union(*(literals(each) for each in types))
    if node.unsettable and "" not in values:
        yield "cannot be unset"
    lists = [each for each in types if get_origin(each) is list]
    if node.is_list:
        if not lists:
            yield "is no list"
            return
        types = list(alternatives(get_args(lists[0])[0], module))
        values = set().union(*(literals(each) for each in types))
    yield from (f"is not {each}" for each in node.types if not is_taken(each, types, values))
    if node.inside:
        nested = [each for each in types if hasattr(each, "__total__")]
        if not nested:
            yield "is no object"
            return
        yield from wrong_fields(node, nested[0])


def is_taken(type_: str, types: list[Any], values: set[str]) -> bool:
    """Whether the SDK knows a type, or a value of an enumeration, of a schema."""
    if type_ == "map":
        return any(get_origin(each) is dict for each in types)
    if type_ == "event_type":
        return values == EVENT_TYPES | {"*"}
    return TYPES[type_] in types if type_ in SCALARS else type_ in values


def wrong_objects(state: Mapping[str, Any]) -> list[str]:
    """What is wrong with any object or event of the double."""
    found = []
    for kind, rows in state["objects"].items():
        for row in rows:
            if kind in CLASSES and not row.get("deleted"):
                found += wrong_object(row, kind)
    for event in state["events"]:
        found += wrong_object(event, "event")
        shown = event["data"]["object"]
        if shown["object"] in CLASSES:
            found += wrong_object(shown, shown["object"])
    return sorted(set(found))


def wrong_object(value: Mapping[str, Any], kind: str) -> list[str]:
    """What an object has or lacks, against the SDK's class of its kind."""
    return list(wrong_members(value, class_of(kind), kind))


# Fields that stand in some answers alone.
SOMETIMES = {
    "deleted", "secret", "account", "context", "quantity", "flow", "amount_details",
}  # fmt: skip


def wrong_members(value: Mapping[str, Any], cls: type, path: str) -> Iterator[str]:
    fields = fields_of(cls)
    for name in value:
        if name not in fields:
            yield f"{path}.{name} is unknown"
    for name, annotation in fields.items():
        nullable = is_nullable(annotation, cls.__module__)
        if name not in value:
            if not nullable and name not in SOMETIMES:
                yield f"{path}.{name} is missing"
        elif value[name] is None:
            if not nullable:
                yield f"{path}.{name} is null"
        else:
            types = list(alternatives(annotation, cls.__module__))
            yield from wrong_value(value[name], types, f"{path}.{name}", cls.__module__)


def wrong_value(value: Any, types: list[Any], path: str, module: str) -> Iterator[str]:
    """What is wrong with a value that may have one of some types."""
    if isinstance(value, list):
        inside = [get_args(each)[0] for each in types if get_origin(each) is list]
        if not inside:
            yield f"{path} is a list"
            return
        found = list(alternatives(inside[0], module))
        for i, each in enumerate(value):
            yield from wrong_value(each, found, f"{path}[{i}]", module)
    elif isinstance(value, dict):
        yield from wrong_nested(value, types, path)
    elif not any(fits(value, each) for each in types):
        yield f"{path}: {value!r} is none of {types}"


def wrong_nested(value: Mapping[str, Any], types: list[Any], path: str) -> Iterator[str]:
    if value.get("object") == "list" and isinstance(value.get("data"), list):
        for each in value["data"]:
            yield from wrong_object(each, each["object"])
        return
    own = [
        each
        for each in types
        if inspect.isclass(each) and issubclass(each, StripeObject) and "." in each.__qualname__
    ]
    if own:
        yield from wrong_members(value, own[0], path)
    elif "object" in value:
        yield from wrong_object(value, value["object"])


def fits(value: Any, type_: Any) -> bool:
    """Whether a JSON value is of a type; decimals are texts."""
    allowed = literals(type_)
    if allowed:
        return value in allowed
    if type_ in {Decimal, str}:
        return isinstance(value, str)
    if type_ is float:
        return isinstance(value, int | float)
    return type_ is Any or (inspect.isclass(type_) and type(value) is type_)
