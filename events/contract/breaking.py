"""Finds the changes of the contract that refuse events which the old one accepts."""

import json
from collections.abc import Iterator
from itertools import chain
from math import inf

from events.contract.schema import Schema
from events.personal import ERASED_AS

# Keywords of JSON Schema that accept or refuse nothing.
ANNOTATIONS = {"title", "description", "default", "examples", "deprecated", ERASED_AS}
# Keywords that are compared by their meaning; of all others any change counts as breaking.
COMPARED = {
    "type", "enum", "const", "anyOf", "properties", "required", "additionalProperties", "items",
    "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum",
}  # fmt: skip
LOWER_BOUNDS = ("minLength", "minItems", "minProperties")
UPPER_BOUNDS = ("maxLength", "maxItems", "maxProperties")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """A sentence for each thing that `old` accepts and `new` does not, both from `json_schema`.

    A type whose version was raised may change as it likes.
    """
    return list(chain.from_iterable(
        (f"{type_}: {sentence}" for sentence in type_changes(was, new["$defs"].get(type_)))
        for type_, was in old["$defs"].items()
    ))  # fmt: skip


def type_changes(was: Schema, now: Schema | None) -> Iterator[str]:
    """What became narrower in one type."""
    if now is None:
        yield "the type was removed."
    elif now["x-version"] < was["x-version"]:
        yield f"its version went back from {was['x-version']} to {now['x-version']}."
    elif now["x-version"] == was["x-version"]:
        if now["x-user-required"] and not was["x-user-required"]:
            yield "user_id became required."
        yield from object_changes("", was, now)


def object_changes(path: str, was: Schema, now: Schema) -> Iterator[str]:
    """What became narrower in an object's fields; `path` ends in a dot but for the outermost."""
    before, after = was.get("properties", {}), now.get("properties", {})
    for name in now.get("required", []):
        if name not in before:
            yield f"the field '{path}{name}' is new and required."
        elif name not in was.get("required", []):
            yield f"the field '{path}{name}' became required."
    for name, rule in before.items():
        if name in after:
            yield from field_changes(f"{path}{name}", rule, after[name])
        else:
            yield f"the field '{path}{name}' was removed."
    rest_before, rest_after = rest_of(was), rest_of(now)
    if rest_before is not None and rest_after is None:
        yield f"'{path}*' is no longer allowed."
    elif rest_before is not None and rest_after is not None:
        yield from field_changes(f"{path}*", rest_before, rest_after)


def rest_of(rule: Schema) -> Schema | None:
    """The rule for fields that are not listed; None where there may be none."""
    rest = rule.get("additionalProperties", {})
    return {} if rest is True else rest or (None if rest is False else {})


def field_changes(path: str, was: Schema, now: Schema) -> Iterator[str]:
    """What became narrower in a field: each of its old alternatives must fit a new one."""
    for before in alternatives(was):
        fits = [(list(rule_changes(path, before, after)), after) for after in alternatives(now)]
        if all(complaints for complaints, _ in fits):
            # It fits none: report the differences to the most similar of the new alternatives.
            if before.get("type") == "null":
                yield f"the field '{path}' may no longer be null."
            else:
                yield from min(fits, key=lambda fit: (
                    fit[1].get("type") != before.get("type"), len(fit[0])
                ))[0]  # fmt: skip


def alternatives(rule: Schema) -> list[Schema]:
    """The rules of which a value must meet one."""
    if "anyOf" not in rule:
        return [rule]
    return [each for option in rule["anyOf"] for each in alternatives(option)]


def rule_changes(path: str, was: Schema, now: Schema) -> Iterator[str]:
    """What became narrower between two rules without alternatives."""
    before, after = was.get("type"), now.get("type")
    # Every integer is a number, so that this change refuses nothing.
    if after not in (None, before) and (before, after) != ("integer", "number"):
        yield f"the field '{path}' was {before or 'anything'} and is now {after}."
        return
    yield from value_changes(path, was, now)
    yield from bound_changes(path, was, now)
    for key in now.keys() - COMPARED - ANNOTATIONS - {*LOWER_BOUNDS, *UPPER_BOUNDS}:
        if now[key] != was.get(key):
            yield f"the {key} of the field '{path}' changed."
    if after == "object":
        yield from object_changes(f"{path}.", was, now)
    if after == "array":
        yield from field_changes(f"{path}[]", was.get("items", {}), now.get("items", {}))


def value_changes(path: str, was: Schema, now: Schema) -> Iterator[str]:
    """Which listed values are gone."""
    before, after = listed(was), listed(now)
    if after is not None and before is None:
        yield f"the field '{path}' takes only {', '.join(after)}."
    elif after is not None and before is not None:
        yield from (f"the field '{path}' no longer takes {v}." for v in before if v not in after)


def listed(rule: Schema) -> list[str] | None:
    """The values that a rule lists, as JSON; None if it lists none."""
    values = [rule["const"]] if "const" in rule else rule.get("enum")
    return None if values is None else [json.dumps(value) for value in values]


def bound_changes(path: str, was: Schema, now: Schema) -> Iterator[str]:
    """Which bounds are tighter."""
    if listed(was) is None and lowest(now) > lowest(was):
        yield f"the minimum of the field '{path}' was raised."
    if listed(was) is None and highest(now) < highest(was):
        yield f"the maximum of the field '{path}' was lowered."
    for key in LOWER_BOUNDS:
        if now.get(key, 0) > was.get(key, 0):
            yield f"the {key} of the field '{path}' was raised."
    for key in UPPER_BOUNDS:
        if now.get(key, inf) < was.get(key, inf):
            yield f"the {key} of the field '{path}' was lowered."


def lowest(rule: Schema) -> tuple[float, int]:
    """The lower bound, and 1 if it is itself excluded."""
    least, over = rule.get("minimum", -inf), rule.get("exclusiveMinimum")
    if over is None:
        return least, 0
    return max((least, 0), (over + 1, 0) if rule["type"] == "integer" else (over, 1))


def highest(rule: Schema) -> tuple[float, int]:
    """The upper bound, and -1 if it is itself excluded."""
    most, under = rule.get("maximum", inf), rule.get("exclusiveMaximum")
    if under is None:
        return most, 0
    return min((most, 0), (under - 1, 0) if rule["type"] == "integer" else (under, -1))
