"""An example of an event, made from its schema."""

import re
from math import inf
from typing import Any

from events.contract.schema import Schema
from events.identity import named_id

# Tried in this order: the first that meets a pattern is the example.
SHAPES = ("example-1", "ada@example.com", "2026-01", "2026-01-31", "https://example.com/1", "1")
FORMATS = {
    "uuid": str(named_id("example")),
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "email": "ada@example.com",
    "uri": "https://example.com/1",
}


def example_of(rule: Schema, name: str = "") -> Any:
    """A value that a rule accepts: one that it lists itself, else one that is made up.

    A text whose pattern none of our shapes meets needs `examples` beside its field.
    """
    for option in rule.get("anyOf", ()):
        if option.get("type") != "null":
            rule = option | {key: value for key, value in rule.items() if key != "anyOf"}
            break
    listed = rule.get("examples") or rule.get("enum")
    alone = [rule[key] for key in ("const", "default") if rule.get(key) is not None]
    return (listed or alone or [made_up(rule, name)])[0]


def made_up(rule: Schema, name: str) -> Any:
    """A value of the right type, within the bounds."""
    match rule.get("type"):
        case "object":
            return {key: example_of(each, key) for key, each in rule.get("properties", {}).items()}
        case "array":
            return [example_of(rule.get("items", {}), name)]
        case "string":
            return example_text(rule, name)
        case "integer" | "number":
            return example_number(rule)
        case "boolean":
            return True
        case _:
            return None


def example_text(rule: Schema, name: str) -> str:
    """A text of the right format and pattern; where neither is asked for, the field's name."""
    if rule.get("format") in FORMATS:
        return FORMATS[rule["format"]]
    if "pattern" in rule:
        return next((each for each in SHAPES if re.search(rule["pattern"], each)), name)
    return name.replace("_", " ")[: rule.get("maxLength", 500)]


def example_number(rule: Schema) -> Any:
    """The number nearest to 1 within the bounds."""
    low = max(rule.get("minimum", -inf), rule.get("exclusiveMinimum", -inf) + 1)
    return min(max(1, low), rule.get("maximum", inf))
