"""Events: what happened to which object, as it was then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.stripe.objects import EVENT_TYPES, THIN_EVENT_TYPES, Object, blank, new_id, public
from sandbox.stripe.switches import CURRENT_VERSION
from sandbox.stripe.versions import rendered

if TYPE_CHECKING:
    from sandbox.stripe.account import Account


def record(account: Account, type_: str, about: Object, previous: Object | None) -> Object:
    """A snapshot event, kept and sent to the endpoints that want its type."""
    assert type_ in EVENT_TYPES, type_  # noqa: S101 - the double itself would be wrong
    switches = account.switches
    created = account.time_of(about)
    # With what the double alone knows: older versions show some of it.
    snapshot = snapshot_of(about)
    event = blank("event") | {
        "id": new_id("event"),
        "type": type_,
        "created": created - created % switches.tie_seconds,
        "livemode": switches.livemode
        if switches.event_livemode is None
        else switches.event_livemode,
        "api_version": CURRENT_VERSION,
        "pending_webhooks": 0,
        "request": {"id": account.request_id, "idempotency_key": account.idempotency_key},
        "data": {"object": snapshot} | ({"previous_attributes": previous} if previous else {}),
        "_real": account.real_now(),
    }
    if switches.event_account is None:
        del event["account"]
    else:
        event["account"] = switches.event_account
    del event["context"]
    account.events.append(event)
    account.deliveries.announce(event)
    thin = f"v1.{type_}"
    if account.deliveries.wanted(thin):
        record_thin(account, thin, about, {}, path_of(about))
    return event


def path_of(about: Object) -> str:
    """The address at which an object can be fetched."""
    kind = about["object"]
    return f"/v1/{PATHS.get(kind, kind.replace('.', '/') + 's')}/{about['id']}"


# Where the addresses of a kind are not made of its name.
PATHS = {"test_helpers.test_clock": "test_helpers/test_clocks"}
# What of the double's own knowledge older versions show.
SHOWN_BY_OLDER = {
    "_charge",
    "_intent",
    "_invoice",
    "_out_of_band",
    "_price",
    "_coupon",
    "_discount",
}


def snapshot_of(value: Any) -> Any:
    """A deep copy without what no version shows."""
    if isinstance(value, dict):
        return {
            key: snapshot_of(each)
            for key, each in value.items()
            if not key.startswith("_") or key in SHOWN_BY_OLDER
        }
    return [snapshot_of(each) for each in value] if isinstance(value, list) else value


def record_thin(
    account: Account,
    type_: str,
    related: Object | None,
    data: Any,
    path: str = "",
    *,
    only: Object | None = None,
) -> Object:
    """A thin event: what is sent names the object, and the rest is fetched."""
    assert type_ in THIN_EVENT_TYPES, type_  # noqa: S101 - the double itself would be wrong
    now = datetime.fromtimestamp(account.real_now(), UTC)
    event: Object = {
        "id": new_id("v2.core.event"),
        "object": "v2.core.event",
        "type": type_,
        "created": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "livemode": account.switches.livemode,
        "context": None,
        "reason": None,
        "data": data,
        "_real": account.real_now(),
    }
    if related is not None:
        event["related_object"] = {"id": related["id"], "type": related["object"], "url": path}
    account.thin_events.append(event)
    account.deliveries.announce(event, only)
    return event


def payload(event: Object, version: str) -> Object:
    """What is sent to an endpoint of a version."""
    sent = snapshot_of(event)
    if sent["object"] == "v2.core.event":
        sent.pop("data")
        sent.pop("pending_webhooks", None)
        return dict(public(sent))
    data = sent["data"]
    kind = data["object"]["object"]
    sent["api_version"] = version
    data["object"] = rendered(data["object"], version)
    if "previous_attributes" in data:
        previous = rendered({"object": kind} | data["previous_attributes"], version)
        previous.pop("object", None)
        data["previous_attributes"] = previous
    return dict(public(sent))
