"""What a change in the middle of a period gives back and costs."""

from decimal import ROUND_HALF_UP, Decimal

from sandbox.stripe.account import Account
from sandbox.stripe.billing.discounts import in_force
from sandbox.stripe.billing.lines import line, price_amount
from sandbox.stripe.objects import Object


def share(account: Account, subscription: Object, item: Object, at: int) -> Decimal:
    """The share of what an item costs that falls on the rest of its period."""
    start, end = item["current_period_start"], item["current_period_end"]
    rest = Decimal(max(0, end - at)) / Decimal(end - start)
    for discount in in_force(account, subscription["discounts"], at):
        percent = discount["_coupon"]["percent_off"]
        if percent is not None:
            rest *= 1 - Decimal(str(percent)) / 100
    return rest


def part_of(item: Object, rest: Decimal) -> int:
    exact = Decimal(price_amount(item["price"], item["quantity"])) * rest
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def unused(account: Account, subscription: Object, item: Object, at: int) -> Object:
    """The line that gives back the rest of an item's period."""
    amount = -part_of(item, share(account, subscription, item, at))
    name = account.get("product", item["price"]["product"])["name"]
    invoices = [subscription["latest_invoice"]] if subscription["latest_invoice"] else []
    credited = {"invoice": invoices[0], "invoice_line_items": []} if invoices else None
    return line(
        account,
        subscription,
        item["price"],
        amount=amount,
        quantity=item["quantity"],
        period=(at, item["current_period_end"]),
        description=f"Unused time on {name}",
        item=item,
        proration=True,
        credited=credited,
    )


def remaining(account: Account, subscription: Object, item: Object, at: int) -> Object:
    """The line for the rest of the period with an item as it is to be."""
    name = account.get("product", item["price"]["product"])["name"]
    return line(
        account,
        subscription,
        item["price"],
        amount=part_of(item, share(account, subscription, item, at)),
        quantity=item["quantity"],
        period=(at, item["current_period_end"]),
        description=f"Remaining time on {name}",
        item=item,
        proration=True,
    )
