"""Stripe's objects as JSON: kinds, ids, and the fields that are null until something sets them."""

import json
import secrets
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]
SHAPES = json.loads((Path(__file__).parent / "shapes.json").read_text())
# The nullable fields of each kind, as the SDK declares them; a test compares them with it.
BLANKS: dict[str, list[str]] = SHAPES["blanks"]
EVENT_TYPES = frozenset(SHAPES["event_types"])
THIN_EVENT_TYPES = frozenset(SHAPES["thin_event_types"])
PREFIXES = {
    "billing.meter": "mtr",
    "billing.meter_event": "me",
    "billing_portal.configuration": "bpc",
    "billing_portal.session": "bps",
    "charge": "ch",
    "checkout.session": "cs_test",
    "coupon": "co",
    "customer": "cus",
    "discount": "di",
    "dispute": "du",
    "event": "evt",
    "invoice": "in",
    "invoice_payment": "inpay",
    "invoiceitem": "ii",
    "item": "li",
    "line_item": "il",
    "payment_intent": "pi",
    "payment_method": "pm",
    "price": "price",
    "product": "prod",
    "promotion_code": "promo",
    "refund": "re",
    "setup_intent": "seti",
    "subscription": "sub",
    "subscription_item": "si",
    "subscription_schedule": "sub_sched",
    "test_helpers.test_clock": "clock",
    "v2.core.event": "evt",
    "v2.core.event_destination": "ed",
    "webhook_endpoint": "we",
}
# Longest first, since `sub_sched` begins like `sub`.
KINDS = sorted(((prefix, kind) for kind, prefix in PREFIXES.items()), key=lambda p: -len(p[0]))


def new_id(kind: str) -> str:
    return f"{PREFIXES[kind]}_{secrets.token_hex(12)}"


def kind_of(id_: str) -> str | None:
    """The kind of object that an id belongs to, by its prefix."""
    return next((kind for prefix, kind in KINDS if id_.startswith(f"{prefix}_")), None)


def blank(kind: str) -> Object:
    """An object of a kind whose nullable fields are all null."""
    return dict.fromkeys(BLANKS.get(kind, ())) | {"object": kind}


def public(value: Any) -> Any:
    """A deep copy without what the double alone knows, whose names begin with `_`."""
    if isinstance(value, dict):
        return {key: public(each) for key, each in value.items() if not key.startswith("_")}
    if isinstance(value, list):
        return [public(each) for each in value]
    return deepcopy(value)


def list_of(data: list[Any], url: str, *, has_more: bool = False, **more: Any) -> Object:
    """Stripe's envelope of a list."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url} | more


def update_map(target: dict[str, str], given: dict[str, str] | str | None) -> None:
    """Change metadata as Stripe does: an empty value unsets a key, an empty map all of them."""
    if given == "":
        target.clear()
    elif isinstance(given, dict):
        for key, value in given.items():
            if value == "":
                target.pop(key, None)
            else:
                target[key] = value
