"""Coupons."""

from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object, update_map

CREATE = {
    "amount_off": "int",
    "currency": "str",
    "duration": "forever|once|repeating",
    "duration_in_months": "int",
    "id": "str",
    "max_redemptions": "int",
    "metadata": "map?",
    "name": "str",
    "percent_off": "float",
    "redeem_by": "int",
}


@endpoint("POST", "/v1/coupons", CREATE)
def create(call: Call) -> Object:
    """A coupon of an amount or a percentage."""
    account, duration = call.account, call["duration"] or "once"
    if (call["amount_off"] is None) == (call["percent_off"] is None):
        raise invalid("You must pass either percent_off or amount_off.", "percent_off")
    if call["percent_off"] is not None and not 0 < call["percent_off"] <= 100:  # noqa: PLR2004
        raise invalid("Invalid percent_off: must be greater than 0 and up to 100.", "percent_off")
    if (duration == "repeating") != (call["duration_in_months"] is not None):
        raise invalid("duration_in_months belongs to duration=repeating.", "duration_in_months")
    if call["id"] in account.of("coupon"):
        raise invalid("Coupon already exists.", "id", "resource_already_exists")
    fields = {name: call[name] for name in CREATE if name not in {"id", "metadata", "duration"}}
    made = account.add(
        "coupon",
        duration=duration,
        metadata=dict(call["metadata"] or {}),
        times_redeemed=0,
        valid=True,
        **fields,
        **({"id": call["id"]} if call["id"] else {}),
    )
    account.emit("coupon.created", made)
    return made


@endpoint("GET", "/v1/coupons/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get("coupon", call.id)


@endpoint("POST", "/v1/coupons/{id}", {"metadata": "map?", "name": "str"})
def update(call: Call) -> Object:
    coupon = call.account.get("coupon", call.id)
    with call.account.change(coupon, "coupon.updated"):
        update_map(coupon["metadata"], call.params.get("metadata"))
        coupon["name"] = call.params.get("name", coupon["name"])
    return coupon


@endpoint("DELETE", "/v1/coupons/{id}")
def delete(call: Call) -> Object:
    """Discounts that were given already stay."""
    coupon = call.account.get("coupon", call.id)
    coupon["valid"] = False
    call.account.emit("coupon.deleted", coupon)
    del call.account.of("coupon")[call.id]
    return {"id": call.id, "object": "coupon", "deleted": True}


@endpoint("GET", "/v1/coupons", PAGE | CREATED)
def list_(call: Call) -> Object:
    return page_of(call, call.account.of("coupon").values())
