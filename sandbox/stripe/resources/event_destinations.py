"""Event destinations and events of v2: thin events, or snapshots through the newer door."""

import secrets
from datetime import UTC, datetime
from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.endpoints import Call, endpoint
from sandbox.stripe.errors import invalid, missing
from sandbox.stripe.events import record_thin
from sandbox.stripe.objects import EVENT_TYPES, THIN_EVENT_TYPES, Object, new_id
from sandbox.stripe.resources.webhook_endpoints import check_url
from sandbox.stripe.switches import VERSIONS

PATH = "/v2/core/event_destinations"
KIND = "v2.core.event_destination"
KEPT = 30 * 86400  # seconds that events can be fetched for
CREATE = {
    "description": "str",
    "enabled_events[]!": "str",
    "event_payload!": "snapshot|thin",
    "events_from[]": "str",
    "include[]": "webhook_endpoint.signing_secret|webhook_endpoint.url",
    "metadata": "map",
    "name!": "str",
    "snapshot_api_version": "str",
    "type!": "webhook_endpoint",
    "webhook_endpoint.url!": "str",
}
UPDATE = {
    "description": "str",
    "enabled_events[]": "str",
    "include[]": "webhook_endpoint.url",
    "metadata": "map",
    "name": "str",
    "webhook_endpoint.url!": "str",
}


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def check(payload: str, types: list[str], version: str | None) -> None:
    """Raises StripeError 400."""
    known = THIN_EVENT_TYPES if payload == "thin" else EVENT_TYPES
    for each in types:
        if each != "*" and each not in known:
            raise invalid(f"{each} is not a valid {payload} event.", "enabled_events")
    if payload == "thin" and version is not None:
        raise invalid("Thin events have no version.", "snapshot_api_version")
    if version is not None and version not in VERSIONS:
        raise invalid(f"Invalid API version: {version}", "snapshot_api_version")


@endpoint("POST", PATH, CREATE)
def create(call: Call) -> Object:
    """A destination; its secret and address are shown where they are asked for."""
    account, endpoint_ = call.account, call["webhook_endpoint"]
    if endpoint_ is None:
        raise invalid("webhook_endpoint is required.", "webhook_endpoint")
    check_url(endpoint_["url"])
    check(call["event_payload"], call["enabled_events"], call["snapshot_api_version"])
    now = account.real_now()
    made: Object = {
        "id": new_id(KIND),
        "object": KIND,
        "amazon_eventbridge": None,
        "azure_event_grid": None,
        "created": iso(now),
        "description": call["description"] or "",
        "enabled_events": call["enabled_events"],
        "event_payload": call["event_payload"],
        "events_from": call["events_from"] or ["@self"],
        "livemode": account.switches.livemode,
        "metadata": dict(call["metadata"] or {}),
        "name": call["name"],
        "snapshot_api_version": call["snapshot_api_version"],
        "status": "enabled",
        "status_details": None,
        "type": "webhook_endpoint",
        "updated": iso(now),
        "webhook_endpoint": {"signing_secret": None, "url": None},
        "_secret": f"whsec_{secrets.token_hex(16)}",
        "_since": now,
        "_url": endpoint_["url"],
    }
    account.of(KIND)[made["id"]] = made
    return shown(made, call["include"])


def shown(destination: Object, include: list[str] | None) -> Object:
    """A destination with what was asked for."""
    asked = include or []
    secret, url = "webhook_endpoint.signing_secret", "webhook_endpoint.url"
    inside = {
        "signing_secret": destination["_secret"] if secret in asked else None,
        "url": destination["_url"] if url in asked else None,
    }
    return destination | {"webhook_endpoint": inside}


@endpoint("GET", PATH + "/{id}", {"include[]": "webhook_endpoint.url"})
def retrieve(call: Call) -> Object:
    return shown(call.account.get(KIND, call.id), call["include"])


@endpoint("GET", PATH, {"include[]": "webhook_endpoint.url", "limit": "int"})
def list_(call: Call) -> Object:
    rows = list(call.account.of(KIND).values())[::-1]
    data = [shown(each, call["include"]) for each in rows]
    return {"data": data, "next_page_url": None, "previous_page_url": None}


@endpoint("POST", PATH + "/{id}", UPDATE)
def update(call: Call) -> Object:
    found = call.account.get(KIND, call.id)
    if call["enabled_events"] is not None:
        check(found["event_payload"], call["enabled_events"], None)
    for name in ("description", "enabled_events", "name"):
        found[name] = found[name] if call[name] is None else call[name]
    found["metadata"] |= call["metadata"] or {}
    if call["webhook_endpoint"]:
        check_url(call["webhook_endpoint"]["url"])
        found["_url"] = call["webhook_endpoint"]["url"]
    return shown(found, call["include"])


@endpoint("DELETE", PATH + "/{id}")
def delete(call: Call) -> Object:
    call.account.get(KIND, call.id)
    del call.account.of(KIND)[call.id]
    return {"id": call.id, "object": KIND, "deleted": True}


@endpoint("POST", PATH + "/{id}/enable")
def enable(call: Call) -> Object:
    return switch(call, "enabled")


@endpoint("POST", PATH + "/{id}/disable")
def disable(call: Call) -> Object:
    return switch(call, "disabled")


def switch(call: Call, status: str) -> Object:
    found = call.account.get(KIND, call.id)
    found |= {"status": status, "_since": call.account.real_now()}
    return shown(found, call["include"])


@endpoint("POST", PATH + "/{id}/ping")
def ping(call: Call) -> Object:
    """Send a test event, and answer with it."""
    account, found = call.account, call.account.get(KIND, call.id)
    path = f"{PATH}/{call.id}"
    return record_thin(account, "v2.core.event_destination.ping", found, {}, path, only=found)


def kept(account: Account) -> list[Object]:
    since = account.real_now() - KEPT
    return [event for event in account.thin_events if event["_real"] > since]


@endpoint("GET", "/v2/core/events/{id}")
def retrieve_event(call: Call) -> Object:
    for event in kept(call.account):
        if event["id"] == call.id:
            return event
    raise missing("event", call.id)


@endpoint("GET", "/v2/core/events", {"limit": "int", "object_id": "str", "types[]": "str"})
def list_events(call: Call) -> Object:
    """Thin events, newest first."""
    types, wanted = call["types"], call["object_id"]
    rows: list[Any] = [
        event
        for event in kept(call.account)[::-1]
        if (types is None or event["type"] in types)
        and (wanted is None or (event.get("related_object") or {}).get("id") == wanted)
    ]
    limit = int(call["limit"] or 100)
    return {"data": rows[:limit], "next_page_url": None, "previous_page_url": None}
