"""The items of a subscription."""

from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.billing.lines import is_metered
from sandbox.stripe.billing.periods import period_at, same_interval
from sandbox.stripe.errors import invalid
from sandbox.stripe.objects import Object, blank, new_id, public

MAX_ITEMS = 20  # https://docs.stripe.com/billing/subscriptions/multiple-products


def price_of(account: Account, given: dict[str, Any], param: str) -> Object:
    """The price that an item names. Raises StripeError 400."""
    if given.get("price") is None:
        raise invalid(f"Missing required param: {param}[price].", f"{param}[price]")
    price = account.get("price", given["price"], f"{param}[price]")
    if not price["active"]:
        raise invalid(
            "The price specified is inactive. This field only accepts active prices: "
            f"{price['id']}",
            f"{param}[price]",
        )
    if price["recurring"] is None:
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with "
            "`type=recurring`.",
            f"{param}[price]",
        )
    return price


def new_item(account: Account, subscription: Object, given: dict[str, Any], param: str) -> Object:
    """An item whose period is not set yet. Raises StripeError 400."""
    price = price_of(account, given, param)
    metered = price["recurring"]["usage_type"] == "metered"
    if metered and given.get("quantity") is not None:
        raise invalid(
            "Quantity should not be specified where usage_type is `metered`. Remove quantity from "
            f"{param}.",
            f"{param}[quantity]",
        )
    item = blank("subscription_item") | {
        "id": new_id("subscription_item"),
        "created": account.time_of(subscription),
        "discounts": [],
        "metadata": dict(given.get("metadata") or {}),
        "quantity": given.get("quantity", 1),
        "subscription": subscription["id"],
        "tax_rates": [],
    }
    if metered:
        del item["quantity"]
    set_price(item, price)
    return item


def set_price(item: Object, price: Object) -> None:
    item["price"] = public(price)
    item["plan"] = plan_of(price)


def plan_of(price: Object) -> Object:
    """A price in the shape of the plans before it; items still show it."""
    recurring = price["recurring"]
    return blank("plan") | {
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "id": price["id"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": price["livemode"],
        "metadata": dict(price["metadata"]),
        "meter": recurring["meter"],
        "nickname": price["nickname"],
        "product": price["product"],
        "transform_usage": price["transform_quantity"],
        "trial_period_days": recurring["trial_period_days"],
        "usage_type": recurring["usage_type"],
    }


def check_items(items: list[Object], billing_mode: str) -> None:
    """Raises StripeError 400 where items cannot stand in one subscription."""
    if not items:
        raise invalid("A subscription must have at least one active plan.", "items")
    if len(items) > MAX_ITEMS:
        raise invalid(f"A subscription has up to {MAX_ITEMS} items.", "items")
    prices = [item["price"]["id"] for item in items]
    double = next((each for each in prices if prices.count(each) > 1), None)
    if double is not None:
        raise invalid(
            "Cannot add multiple subscription items with the same plan: "
            f"{double}. You can use quantity instead.",
            "items",
        )
    if len({item["price"]["currency"] for item in items}) > 1:
        raise invalid("All prices of a subscription must have the same currency.", "items")
    first = items[0]["price"]["recurring"]
    mixed = any(not same_interval(first, item["price"]["recurring"]) for item in items)
    if mixed and billing_mode != "flexible":
        raise invalid(
            "Currency and interval fields must match across all plans on this subscription. Use "
            "`billing_mode[type]=flexible` to mix intervals.",
            "items",
        )


def set_period(item: Object, start: int, end: int) -> None:
    item |= {"current_period_start": start, "current_period_end": end}


def set_periods(subscription: Object, items: list[Object], at: int) -> None:
    """Let items be in the period of their own interval that holds a time."""
    for item in items:
        anchor = subscription["billing_cycle_anchor"]
        set_period(item, *period_at(anchor, item["price"]["recurring"], at))


def next_end(subscription: Object) -> int:
    """When the first item's period ends."""
    return min(int(item["current_period_end"]) for item in subscription["items"]["data"])


def last_end(subscription: Object) -> int:
    """When the last item's period ends."""
    return max(int(item["current_period_end"]) for item in subscription["items"]["data"])


def split(items: list[Object]) -> tuple[list[Object], list[Object]]:
    """Items that are paid in advance, and those that are paid by use."""
    return [each for each in items if not is_metered(each)], [
        each for each in items if is_metered(each)
    ]
