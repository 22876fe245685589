"""`expand`: ids replaced by their objects, and lists that are left out otherwise."""

from collections.abc import Callable
from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.errors import invalid
from sandbox.stripe.objects import Object, kind_of, list_of, public

MAX_LEVELS = 4  # https://docs.stripe.com/expand
# What is not part of an object unless it is asked for.
INCLUDED: dict[tuple[str, str], Callable[[Account, Object], Any]] = {}


def includes(kind: str, name: str) -> Callable[[Callable[[Account, Object], Any]], None]:
    """Register the function below as what fills a field when it is expanded."""

    def register(fill: Callable[[Account, Object], Any]) -> None:
        INCLUDED[kind, name] = fill

    return register


def expanded(account: Account, value: Object, paths: list[str]) -> Object:
    """A copy of an object with what was asked for. Raises StripeError 400."""
    found: Object = public(value)
    strip(found)
    for path in paths:
        parts = path.split(".")
        if len(parts) > MAX_LEVELS:
            raise invalid(f"You cannot expand more than {MAX_LEVELS} levels: {path}", "expand")
        expand_one(account, found, parts, path)
    return found


def expand_one(account: Account, found: Any, parts: list[str], path: str) -> None:
    name, rest = parts[0], parts[1:]
    if found.get("object") == "list" and name == "data":
        for each in found["data"]:
            if rest:
                expand_one(account, each, rest, path)
        return
    fill = INCLUDED.get((found.get("object"), name))
    value = found.get(name)
    if fill is not None and not isinstance(value, dict):
        value = fill(account, found)
    elif isinstance(value, list):
        value = [resolved(account, each, path) for each in value]
    elif name not in found:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    elif isinstance(value, str):
        value = resolved(account, value, path)
    found[name] = value
    for each in value if isinstance(value, list) else [value]:
        if rest and isinstance(each, dict):
            expand_one(account, each, rest, path)


def resolved(account: Account, value: Any, path: str) -> Any:
    """The object of an id. Raises StripeError 400 where the text is none."""
    if not isinstance(value, str):
        return value
    kind = kind_of(value)
    found = account.of(kind).get(value) if kind else None
    if found is None:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    shown: Object = public(found)
    strip(shown)
    return shown


def strip(found: Object) -> None:
    """Leave out what has to be asked for."""
    if found.get("object") == "list":
        for each in found["data"]:
            strip(each)
    for kind, name in INCLUDED:
        if found.get("object") == kind and not isinstance(found.get(name), dict):
            found.pop(name, None)


def listed(data: list[Object], url: str) -> Object:
    return list_of([public(each) for each in data], url)
