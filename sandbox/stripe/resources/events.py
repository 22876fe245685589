"""The list of what happened in the last 30 days."""

from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.errors import invalid, missing
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import EVENT_TYPES, Object

KEPT = 30 * 86400  # seconds that events can be listed for
MAX_TYPES = 20  # of a list's filter
LIST = {"delivery_success": "bool", "type": "str", "types[]": "str"}


def kept(account: Account) -> list[Object]:
    """The events that can still be listed. How old one is, the double's own clock tells."""
    since = account.real_now() - KEPT
    return [event for event in account.events if event["_real"] > since]


@endpoint("GET", "/v1/events", PAGE | CREATED | LIST)
def list_(call: Call) -> Object:
    """Events, newest first, by type and by whether all endpoints took them."""
    types = call["types"] or ([call["type"]] if call["type"] else None)
    if call["types"] is not None and call["type"] is not None:
        raise invalid("You may only specify one of these parameters: type, types.")
    if types is not None and len(types) > MAX_TYPES:
        raise invalid(f"You can filter by up to {MAX_TYPES} types.", "types")
    unknown = [each for each in types or () if each not in EVENT_TYPES and not each.endswith("*")]
    if unknown:
        raise invalid(f"Invalid event type: {unknown[0]}", "types")
    success = delivered(call.account)
    wanted: Any = call["delivery_success"]
    rows = [
        event
        for event in kept(call.account)
        if (types is None or any(matches(each, event["type"]) for each in types))
        and (wanted is None or success.get(event["id"], True) == wanted)
    ]
    return page_of(call, rows)


def matches(pattern: str, type_: str) -> bool:
    return type_.startswith(pattern[:-1]) if pattern.endswith("*") else type_ == pattern


def delivered(account: Account) -> dict[str, bool]:
    """Whether each event reached all who wanted it."""
    found: dict[str, bool] = {}
    for delivery in account.deliveries.all:
        id_ = delivery.event["id"]
        found[id_] = found.get(id_, True) and delivery.state == "delivered"
    return found


@endpoint("GET", "/v1/events/{id}")
def retrieve(call: Call) -> Object:
    for event in kept(call.account):
        if event["id"] == call.id:
            return event
    raise missing("event", call.id)
