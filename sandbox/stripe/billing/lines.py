"""Lines of invoices."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.objects import Object, blank, new_id


def price_amount(price: Object, quantity: int) -> int:
    """What a quantity costs, in whole cents. Stripe rounds half a cent up."""
    units = Decimal(quantity)
    transform = price["transform_quantity"]
    if transform:
        rounding = ROUND_CEILING if transform["round"] == "up" else ROUND_FLOOR
        units = (units / transform["divide_by"]).quantize(Decimal(1), rounding)
    exact = units * Decimal(price["unit_amount_decimal"])
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def line(  # noqa: PLR0913 - a line has these parts
    account: Account,
    owner: Object,
    price: Object,
    *,
    amount: int,
    quantity: int,
    period: tuple[int, int],
    description: str,
    item: Object | None = None,
    proration: bool = False,
    credited: Object | None = None,
) -> Object:
    """A line for a price: of a subscription's item, or of an invoice item where there is none.

    `owner` is the subscription or the customer.
    """
    return blank_line(account, amount, price["currency"], description) | {
        "discountable": not proration,
        "metadata": dict(owner["metadata"]) if item is not None else {},
        "parent": parent_of(item, proration=proration, credited=credited),
        "period": {"start": period[0], "end": period[1]},
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subscription": item["subscription"] if item else None,
        "_price": price,
    }


def blank_line(account: Account, amount: int, currency: str, description: str) -> Object:
    """What all lines have."""
    return blank("line_item") | {
        "id": new_id("line_item"),
        "amount": amount,
        "currency": currency,
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "livemode": account.switches.livemode,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": 1,
        "quantity_decimal": "1",
        "subscription": None,
        "subtotal": amount,
        "taxes": [],
    }


def parent_of(
    item: Object | None,
    *,
    proration: bool = False,
    credited: Object | None = None,
    invoice_item: str | None = None,
) -> Object:
    """What a line comes from: a subscription's item, or an invoice item."""
    details: Object = {
        "invoice_item": invoice_item,
        "proration": proration,
        "proration_details": {"credited_items": credited},
        "subscription": item["subscription"] if item else None,
    }
    if item is not None:
        details["subscription_item"] = item["id"]
    name = "subscription_item_details" if item is not None else "invoice_item_details"
    parent = {"invoice_item_details": None, "subscription_item_details": None, "type": name}
    return parent | {name: details}


def described(account: Account, price: Object, quantity: int) -> str:
    """The text of a line as Stripe writes it."""
    product = account.get("product", price["product"])["name"]
    cents = Decimal(price["unit_amount_decimal"])
    recurring = price["recurring"] or {"interval": "unit"}
    return f"{quantity} × {product} (at ${cents / 100:.2f} / {recurring['interval']})"


def licensed(account: Account, subscription: Object, item: Object) -> Object:
    """The line for an item's current period, which is paid in advance."""
    price, quantity = item["price"], item["quantity"]
    return line(
        account,
        subscription,
        price,
        amount=price_amount(price, quantity),
        quantity=quantity,
        period=(item["current_period_start"], item["current_period_end"]),
        description=described(account, price, quantity),
        item=item,
    )


def total(lines: list[Object]) -> int:
    return sum(each["amount"] for each in lines)


def is_metered(item: Any) -> bool:
    return bool(item["price"]["recurring"]["usage_type"] == "metered")
