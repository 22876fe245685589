"""What meters counted: used by the summaries and by the lines of metered items."""

from decimal import Decimal

from sandbox.stripe.account import Account
from sandbox.stripe.billing.lines import described, line, price_amount
from sandbox.stripe.objects import Object


def counted(
    account: Account, meter: Object, customer: str, start: int, end: int, *, all_: bool = False
) -> Decimal:
    """The usage of a customer from a time until before another.

    Only what was processed already, but for `all_`, as when an invoice is finalised.
    """
    now = account.clock.now().timestamp()
    values = [
        Decimal(event["payload"][meter["value_settings"]["event_payload_key"]])
        for event in account.usage.get(customer, ())
        if event["event_name"] == meter["event_name"]
        and event["payload"].get(meter["customer_mapping"]["event_payload_key"]) == customer
        and start <= event["timestamp"] < end
        and not event["_cancelled"]
        and (all_ or event["_counted_at"] <= now)
    ]
    match meter["default_aggregation"]["formula"]:
        case "sum":
            return sum(values, Decimal(0))
        case "count":
            return Decimal(len(values))
        case _:
            return values[-1] if values else Decimal(0)


def usage_line(
    account: Account, subscription: Object, item: Object, start: int, end: int
) -> Object:
    """The line for what a metered item used in a period; a negative total bills nothing.

    Usage from before the item was added is never billed.
    """
    price = item["price"]
    meter = account.get("billing.meter", price["recurring"]["meter"])
    since = max(start, item["created"])
    used = counted(account, meter, subscription["customer"], since, end, all_=True)
    quantity = max(0, int(used))
    made = line(
        account,
        subscription,
        price,
        amount=price_amount(price, quantity),
        quantity=quantity,
        period=(start, end),
        description=described(account, price, quantity),
        item=item,
    )
    # Until the invoice is finalised, late usage is still counted.
    made["_recount"] = (subscription["id"], item, start, end)
    return made
