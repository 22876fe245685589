"""Removes what Sentry may not be sent: addresses, tokens, query strings, foreign messages."""

import re
from typing import Any

from errors import InsightsError

ADDRESS = re.compile(r"[^\s\"'<>=:/,;()]+@[^\s\"'<>,;()]+\.[^\s\"'<>,;()]+")
QUERY = re.compile(r"(https?://[^\s?\"'#]+)[?#][^\s\"']*")
TOKEN = re.compile(
    r"(Bearer\s+)\S+|\b(?:sk|rk|pk|phx|phc|phs|whsec)_[A-Za-z0-9_]{6,}", re.IGNORECASE
)
FORBIDDEN_FIELDS = frozenset(
    {
        "http.query",
        "http.fragment",
        "headers",
        "cookies",
        "query_string",
        "data_base64",
        "vars",
        "env",
        # From a caller's header `baggage`, which may hold anything.
        "dynamic_sampling_context",
    }
)
OUR_SETTINGS = ("release", "dist", "environment")
HIDDEN = "[hidden]"
Event = dict[str, Any]


def scrub(event: Any, hint: dict[str, Any]) -> Any:
    """An error event or a transaction without anything personal, for `before_send`."""
    drop_foreign_messages(event, hint)
    request = event.get("request")
    if isinstance(request, dict):
        event["request"] = {k: v for k, v in request.items() if k in ("method", "url")}
    # A release is called `app@1.4.0`, which looks like an address.
    return clean(event) | {name: event[name] for name in OUR_SETTINGS if name in event}


def clean(value: Any) -> Any:
    """The same with forbidden fields left out, and addresses, tokens and query strings hidden."""
    match value:
        case str():
            without = QUERY.sub(r"\1", value)
            return ADDRESS.sub(HIDDEN, TOKEN.sub(HIDDEN, without))
        case dict():
            return {k: clean(v) for k, v in value.items() if k not in FORBIDDEN_FIELDS}
        case list() | tuple():
            return [clean(each) for each in value]
        case _:
            return value


def drop_foreign_messages(event: Event, hint: dict[str, Any]) -> None:
    """Empty the messages of all errors but our own: others may quote what a user wrote."""
    ours = {type(error).__name__ for error in chain(hint) if isinstance(error, InsightsError)}
    for each in (event.get("exception") or {}).get("values") or []:
        if each.get("type") not in ours:
            each["value"] = ""


def chain(hint: dict[str, Any]) -> list[BaseException]:
    """An exception and those that caused it."""
    error = (hint.get("exc_info") or (None, None, None))[1]
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
