"""Prices: what they cost never changes; a lookup key moves to the new one."""

from decimal import Decimal
from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.expand import includes
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object, update_map

INTERVALS = "day|month|week|year"
CREATE = {
    "currency!": "str",
    "active": "bool",
    "billing_scheme": "per_unit",
    "lookup_key": "str",
    "metadata": "map",
    "nickname": "str",
    "product": "str",
    "product_data.name!": "str",
    "product_data.metadata": "map",
    "recurring.interval!": INTERVALS,
    "recurring.interval_count": "int",
    "recurring.meter": "str",
    "recurring.usage_type": "licensed|metered",
    "tax_behavior": "exclusive|inclusive|unspecified",
    "transfer_lookup_key": "bool",
    "transform_quantity.divide_by!": "int",
    "transform_quantity.round!": "down|up",
    "unit_amount": "int",
    "unit_amount_decimal": "decimal",
}
UPDATE = {
    "active": "bool",
    "lookup_key": "str",
    "metadata": "map?",
    "nickname": "str",
    "tax_behavior": "exclusive|inclusive|unspecified",
    "transfer_lookup_key": "bool",
}
LIST = {
    "active": "bool",
    "currency": "str",
    "lookup_keys[]": "str",
    "product": "str",
    "recurring.interval": INTERVALS,
    "recurring.usage_type": "licensed|metered",
    "recurring.meter": "str",
    "type": "one_time|recurring",
}
MAX_LOOKUP_KEY = 200  # characters
MAX_LOOKUP_KEYS = 10  # of a list's filter


@endpoint("POST", "/v1/prices", CREATE)
def create(call: Call) -> Object:
    """A price of a product that exists, or of one that is made with it."""
    account = call.account
    amount, exact = amounts(call)
    recurring = recurring_of(account, call["recurring"])
    if call["transform_quantity"] and recurring is None:
        raise invalid("transform_quantity needs a recurring price.", "transform_quantity")
    take_lookup_key(account, call["lookup_key"], transfer=bool(call["transfer_lookup_key"]))
    made = account.add(
        "price",
        active=call["active"] is not False,
        billing_scheme="per_unit",
        currency=currency_of(call["currency"]),
        lookup_key=call["lookup_key"],
        metadata=dict(call["metadata"] or {}),
        nickname=call["nickname"],
        product=product_of(call),
        recurring=recurring,
        tax_behavior=call["tax_behavior"] or "unspecified",
        tiers_mode=None,
        transform_quantity=call["transform_quantity"],
        type="recurring" if recurring else "one_time",
        unit_amount=amount,
        unit_amount_decimal=exact,
    )
    account.emit("price.created", made)
    return made


def amounts(call: Call) -> tuple[int | None, str]:
    """Whole cents, None where they are not whole, and the exact amount. Raises StripeError."""
    whole, exact = call["unit_amount"], call["unit_amount_decimal"]
    if (whole is None) == (exact is None):
        raise invalid(
            "Exactly one of unit_amount and unit_amount_decimal is required.", "unit_amount"
        )
    value = Decimal(whole if exact is None else exact)
    if value < 0:
        raise invalid("This value must be greater than or equal to 0.", "unit_amount")
    is_whole = value == value.to_integral_value()
    return (int(value) if is_whole else None), format(value.normalize(), "f")


def currency_of(value: str) -> str:
    if len(value) != 3 or not value.isalpha():  # noqa: PLR2004 - ISO 4217
        raise invalid(f"Invalid currency: {value}", "currency")
    return value.lower()


def recurring_of(account: Account, given: dict[str, Any] | None) -> Object | None:
    """How often a price recurs. Raises StripeError 400."""
    if given is None:
        return None
    meter, usage = given.get("meter"), given.get("usage_type", "licensed")
    if (usage == "metered") != (meter is not None):
        raise invalid(
            "All metered prices must be backed by meters, and only those.", "recurring[meter]"
        )
    if meter is not None:
        account.get("billing.meter", meter, "recurring[meter]")
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": meter,
        "trial_period_days": None,
        "usage_type": usage,
    }


def product_of(call: Call) -> str:
    """The id of the product that a new price belongs to. Raises StripeError 400."""
    account, id_, data = call.account, call["product"], call["product_data"]
    if (id_ is None) == (data is None):
        raise invalid("You must specify either `product` or `product_data`.", "product")
    if id_ is not None:
        found: str = account.live("product", id_, "product")["id"]
        return found
    made = account.add(
        "product",
        active=True,
        default_price=None,
        images=[],
        marketing_features=[],
        metadata=dict(data.get("metadata", {})),
        name=data["name"],
        tax_code=None,
        type="service",
        updated=account.now(),
    )
    account.emit("product.created", made)
    return str(made["id"])


def take_lookup_key(account: Account, key: str | None, *, transfer: bool) -> None:
    """Free a lookup key for a price. Raises StripeError 400 where another price has it."""
    if key is None:
        return
    if len(key) > MAX_LOOKUP_KEY:
        raise invalid(f"lookup_key has up to {MAX_LOOKUP_KEY} characters.", "lookup_key")
    for price in account.of("price").values():
        if price["lookup_key"] != key:
            continue
        if not transfer:
            raise invalid(
                f"A price (`{price['id']}`) already uses that lookup key.",
                "lookup_key",
                "resource_already_exists",
            )
        with account.change(price, "price.updated"):
            price["lookup_key"] = None


@endpoint("GET", "/v1/prices/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get("price", call.id)


@endpoint("POST", "/v1/prices/{id}", UPDATE)
def update(call: Call) -> Object:
    """Everything but what it costs."""
    account, price = call.account, call.account.get("price", call.id)
    if call["lookup_key"] and call["lookup_key"] != price["lookup_key"]:
        take_lookup_key(account, call["lookup_key"], transfer=bool(call["transfer_lookup_key"]))
    with account.change(price, "price.updated"):
        for name, value in call.params.items():
            if name == "metadata":
                update_map(price["metadata"], value)
            elif name in price:
                price[name] = None if value == "" else value
    return price


@endpoint("GET", "/v1/prices", PAGE | CREATED | LIST)
def list_(call: Call) -> Object:
    keys, recurring = call["lookup_keys"], call["recurring"] or {}
    if keys is not None and len(keys) > MAX_LOOKUP_KEYS:
        raise invalid(f"lookup_keys takes up to {MAX_LOOKUP_KEYS}.", "lookup_keys")
    rows = [
        row
        for row in call.account.of("price").values()
        if (keys is None or row["lookup_key"] in keys)
        and all((row["recurring"] or {}).get(name) == value for name, value in recurring.items())
    ]
    equal = {name: call[name] for name in ("active", "currency", "product", "type")}
    return page_of(call, rows, **equal)


includes("price", "tiers")(lambda _account, _price: None)
includes("price", "currency_options")(lambda _account, _price: None)
