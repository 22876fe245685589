"""Form bodies and queries as Stripe's SDKs write them: `a[b][0]=c`."""

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.stripe.errors import invalid

MAX_DEPTH = 12  # levels of brackets; the deepest parameter that the SDK knows has six
NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
PART = re.compile(r"\[([^\[\]]*)\]")


def decode(text: str) -> dict[str, Any]:
    """The nested parameters of a form; every value is text. Raises StripeError 400."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        match = NAME.match(name)
        if match is None:
            raise invalid(f"Invalid parameter name: {name}", name)
        put(root, [match[1], *PART.findall(match[2])], value, name)
    arrays: dict[str, Any] = as_arrays(root)
    return arrays


def put(root: dict[str, Any], parts: list[str], value: str, name: str) -> None:
    """Set a value at its place; an empty part appends. Raises StripeError 400."""
    if len(parts) > MAX_DEPTH:
        raise invalid(f"Invalid parameter name: {name}", name)
    node = root
    for part in parts[:-1]:
        child = node.setdefault(part or str(len(node)), {})
        if not isinstance(child, dict):
            raise invalid(f"Invalid object: {name}", name)
        node = child
    node[parts[-1] or str(len(node))] = value


def as_arrays(value: Any) -> Any:
    """Turn objects whose keys are 0, 1, … into lists."""
    if not isinstance(value, dict):
        return value
    found = {key: as_arrays(each) for key, each in value.items()}
    if found and all(key.isdecimal() for key in found):
        return [found[key] for key in sorted(found, key=int)]
    return found
