"""Promotion codes: what a customer types to get a coupon."""

import secrets

from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object, update_map

CREATE = {
    "active": "bool",
    "code": "str",
    "customer": "str",
    "expires_at": "int",
    "max_redemptions": "int",
    "metadata": "map",
    "promotion.coupon": "str",
    "promotion.type!": "coupon",
    "restrictions.first_time_transaction": "bool",
    "restrictions.minimum_amount": "int",
    "restrictions.minimum_amount_currency": "str",
}
LIST = {"active": "bool", "code": "str", "coupon": "str", "customer": "str"}


@endpoint("POST", "/v1/promotion_codes", CREATE | {"promotion!": "object"})
def create(call: Call) -> Object:
    """A code for a coupon; no two active codes are alike."""
    account = call.account
    coupon = account.get("coupon", call["promotion"].get("coupon", ""), "promotion[coupon]")
    code = call["code"] or secrets.token_hex(4).upper()
    if any(
        each["active"] and each["code"].lower() == code.lower()
        for each in account.of("promotion_code").values()
    ):
        raise invalid("An active promotion code with this code already exists.", "code")
    restrictions = call["restrictions"] or {}
    made = account.add(
        "promotion_code",
        active=call["active"] is not False,
        code=code,
        customer=call["customer"],
        expires_at=call["expires_at"],
        max_redemptions=call["max_redemptions"],
        metadata=dict(call["metadata"] or {}),
        promotion={"coupon": coupon["id"], "type": "coupon", "_coupon": coupon},
        restrictions={
            "first_time_transaction": restrictions.get("first_time_transaction", False),
            "minimum_amount": restrictions.get("minimum_amount"),
            "minimum_amount_currency": restrictions.get("minimum_amount_currency"),
        },
        times_redeemed=0,
    )
    account.emit("promotion_code.created", made)
    return made


@endpoint("GET", "/v1/promotion_codes/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get("promotion_code", call.id)


@endpoint("POST", "/v1/promotion_codes/{id}", {"active": "bool", "metadata": "map?"})
def update(call: Call) -> Object:
    code = call.account.get("promotion_code", call.id)
    with call.account.change(code, "promotion_code.updated"):
        update_map(code["metadata"], call.params.get("metadata"))
        code["active"] = call.params.get("active", code["active"])
    return code


@endpoint("GET", "/v1/promotion_codes", PAGE | CREATED | LIST)
def list_(call: Call) -> Object:
    """Codes; the text of one is compared without regard to case."""
    code, coupon = call["code"], call["coupon"]
    rows = [
        row
        for row in call.account.of("promotion_code").values()
        if (code is None or row["code"].lower() == code.lower())
        and (coupon is None or row["promotion"]["coupon"] == coupon)
    ]
    return page_of(call, rows, active=call["active"], customer=call["customer"])
