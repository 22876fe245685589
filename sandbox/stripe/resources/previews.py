"""What an invoice would say: the next one, or that of a change."""

from copy import deepcopy
from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.billing.changing import Change, make, planned
from sandbox.stripe.billing.creating import Order, build
from sandbox.stripe.billing.discounts import apply, chosen
from sandbox.stripe.billing.invoices import draft
from sandbox.stripe.billing.items import next_end, set_periods, split
from sandbox.stripe.billing.lines import licensed
from sandbox.stripe.billing.renewing import pending_lines
from sandbox.stripe.billing.usage import usage_line
from sandbox.stripe.endpoints import Call, endpoint
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.objects import Object, new_id

CREATE = {
    "customer": "str",
    "discounts": "list?",
    "discounts[].coupon": "str",
    "discounts[].promotion_code": "str",
    "preview_mode": "next|recurring",
    "subscription": "str",
    "subscription_details.billing_cycle_anchor.type!": "now|unchanged",
    "subscription_details.billing_mode.type!": "classic|flexible",
    "subscription_details.cancel_at_period_end": "bool",
    "subscription_details.items[].deleted": "bool",
    "subscription_details.items[].id": "str",
    "subscription_details.items[].price": "str",
    "subscription_details.items[].quantity": "int",
    "subscription_details.proration_behavior": "always_invoice|create_prorations|none",
    "subscription_details.proration_date": "int",
    "subscription_details.trial_end": "now|int",
}


@endpoint("POST", "/v1/invoices/create_preview", CREATE)
def create(call: Call) -> Object:
    """An invoice that is shown and never made. Raises StripeError."""
    account, details = call.account, call["subscription_details"] or {}
    if call["subscription"] is None and call["customer"] is None:
        raise invalid("One of customer and subscription is required.", "customer")
    if call["subscription"] is None:
        return of_new(account, call, details)
    subscription = account.get("subscription", call["subscription"], "subscription")
    customer = account.get("customer", subscription["customer"])
    if subscription["ended_at"] is not None:
        raise StripeError(
            404,
            f"No upcoming invoices for customer: {customer['id']}",
            code="invoice_upcoming_none",
        )
    virtual = deepcopy(subscription)
    change = planned(account, virtual, details)
    invoices = change.at_once or details.get("proration_behavior") == "always_invoice"
    if invoices and (change.lines or change.at_once):
        return shown(account, customer, virtual, change.lines, "subscription_update")
    return next_one(account, call, customer, virtual, change)


def next_one(
    account: Account, call: Call, customer: Object, subscription: Object, change: Change
) -> Object:
    """The invoice of the next renewal, with what waits for it."""
    ends = (call["subscription_details"] or {}).get("cancel_at_period_end")
    waiting = [*pending_lines(account, subscription), *change.lines]
    make(account, subscription, change)
    at = next_end(subscription)
    over = [i for i in subscription["items"]["data"] if i["current_period_end"] == at]
    period = (min(each["current_period_start"] for each in over), at)
    lines = [
        usage_line(account, subscription, each, each["current_period_start"], at)
        for each in split(over)[1]
    ]
    if not (ends or subscription["cancel_at"] == at):
        set_periods(subscription, over, at)
        lines += [licensed(account, subscription, each) for each in split(over)[0]]
    if not lines and not waiting:
        raise StripeError(
            404,
            f"No upcoming invoices for customer: {customer['id']}",
            code="invoice_upcoming_none",
        )
    found = shown(account, customer, subscription, [*waiting, *lines], "upcoming")
    return found | {"period_start": period[0], "period_end": period[1]}


def of_new(account: Account, call: Call, details: dict[str, Any]) -> Object:
    """The first invoice of a subscription that does not exist."""
    customer = account.live("customer", call["customer"], "customer")
    mode = (details.get("billing_mode") or {}).get("type", "flexible")
    trial = details.get("trial_end")
    order = Order(
        customer,
        details.get("items") or [],
        billing_mode=mode,
        trial_end=trial if isinstance(trial, int) else None,
    )
    subscription = build(account, deepcopy_order(order))
    coupons = chosen(account, call["discounts"] or [], customer)
    redeemed = [(each["times_redeemed"], each["valid"]) for each, _ in coupons]
    subscription["discounts"] = apply(account, [(c, None) for c, _ in coupons], customer)
    for (coupon, _), (times, valid) in zip(coupons, redeemed, strict=True):
        coupon |= {"times_redeemed": times, "valid": valid}
    lines = [licensed(account, subscription, each) for each in split(items_of(subscription))[0]]
    if subscription["trial_end"] is not None:
        lines = []
    return shown(account, customer, subscription, lines, "upcoming")


def items_of(subscription: Object) -> list[Object]:
    found: list[Object] = subscription["items"]["data"]
    return found


def deepcopy_order(order: Order) -> Order:
    """An order whose customer is not changed by it."""
    order.customer = deepcopy(order.customer)
    return order


def shown(
    account: Account, customer: Object, subscription: Object, lines: list[Object], reason: str
) -> Object:
    """The draft of it all, which is not kept."""
    invoice = draft(account, customer, deepcopy(lines), reason, subscription)
    del account.of("invoice")[invoice["id"]]
    return invoice | {"id": f"upcoming_{new_id('invoice')}"}
