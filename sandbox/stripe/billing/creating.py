"""New subscriptions."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sandbox.stripe.account import Account, clock_of
from sandbox.stripe.billing import discounts
from sandbox.stripe.billing.collecting import attempt, issue
from sandbox.stripe.billing.ending import expire_incomplete
from sandbox.stripe.billing.invoices import close, draft, finalise, mark_paid
from sandbox.stripe.billing.items import check_items, new_item, set_period, set_periods, split
from sandbox.stripe.billing.lines import licensed, line
from sandbox.stripe.billing.renewing import set_timers
from sandbox.stripe.errors import declined, invalid
from sandbox.stripe.objects import Object, list_of, new_id

INCOMPLETE_FOR = 23 * 3600  # seconds that a first payment may take


@dataclass
class Order:
    """What a subscription is to be; from the API, from Checkout or from a schedule."""

    customer: Object
    items: list[dict[str, Any]]
    metadata: dict[str, str] = field(default_factory=dict)
    trial_end: int | None = None
    billing_mode: str = "flexible"
    payment_method: str | None = None
    payment_behavior: str = "allow_incomplete"
    collection_method: str = "charge_automatically"
    days_until_due: int | None = None
    coupons: list[tuple[Object, Object | None]] = field(default_factory=list)
    missing_payment_method: str = "create_invoice"
    description: str | None = None
    automatic_tax: bool = False
    # Checkout has taken the payment itself, with the customer there.
    present: bool = False


def create_subscription(account: Account, order: Order) -> Object:
    """A subscription and its first invoice. Raises StripeError 400, or 402 where that matters."""
    subscription = build(account, order)
    account.of("subscription")[subscription["id"]] = subscription
    if order.coupons:
        subscription["discounts"] = discounts.apply(
            account, order.coupons, order.customer, subscription=subscription["id"]
        )
    items = subscription["items"]["data"]
    in_trial = subscription["trial_end"] is not None
    sends = order.collection_method == "send_invoice"
    subscription["status"] = "trialing" if in_trial else "active" if sends else "incomplete"
    lines = (
        trial_lines(account, subscription)
        if in_trial
        else [licensed(account, subscription, item) for item in split(items)[0]]
    )
    invoice = draft(account, order.customer, lines, "subscription_create", subscription)
    subscription["latest_invoice"] = invoice["id"]
    account.emit("customer.subscription.created", subscription)
    set_timers(account, subscription)
    collect_first(account, subscription, invoice, order)
    return subscription


def build(account: Account, order: Order) -> Object:
    """The subscription without its invoice. Raises StripeError 400."""
    now, id_ = account.time_of(order.customer), new_id("subscription")
    trial = order.trial_end if order.trial_end is not None and order.trial_end > now else None
    subscription = account.add(
        "subscription",
        order.customer,
        id=id_,
        **defaults(order),
        billing_cycle_anchor=trial or now,
        customer=order.customer["id"],
        items=list_of([], f"/v1/subscription_items?subscription={id_}", total_count=0),
        start_date=now,
        test_clock=order.customer["test_clock"],
        trial_end=trial,
        trial_start=now if trial else None,
    )
    # It is there for others only once it stands as a whole.
    del account.of("subscription")[id_]
    items = [
        new_item(account, subscription, given, f"items[{i}]") for i, given in enumerate(order.items)
    ]
    check_items(items, order.billing_mode)
    subscription["items"] |= {"data": items, "total_count": len(items)}
    subscription["currency"] = items[0]["price"]["currency"]
    if order.customer["currency"] is None:
        order.customer["currency"] = subscription["currency"]
    if trial:
        for item in items:
            set_period(item, now, trial)
    else:
        set_periods(subscription, items, now)
    return subscription


def defaults(order: Order) -> Object:
    """What the order says, and what every subscription has."""
    if order.collection_method == "send_invoice" and order.days_until_due is None:
        raise invalid(
            "If a subscription is set to `collection_method=send_invoice`, `days_until_due` must "
            "be set.",
            "days_until_due",
        )
    flexible = {"proration_discounts": "included"} if order.billing_mode == "flexible" else None
    return {
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": order.automatic_tax,
            "liability": {"type": "self"} if order.automatic_tax else None,
        },
        "billing_mode": {"flexible": flexible, "type": order.billing_mode, "updated_at": None},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": dict.fromkeys(("comment", "feedback", "feedback_option", "reason")),
        "collection_method": order.collection_method,
        "days_until_due": order.days_until_due,
        "default_payment_method": order.payment_method,
        "default_tax_rates": [],
        "description": order.description,
        "discounts": [],
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "metadata": dict(order.metadata),
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "trial_settings": {
            "end_behavior": {
                "billing_cycle_anchor": None,
                "missing_payment_method": order.missing_payment_method,
            }
        },
    }


def trial_lines(account: Account, subscription: Object) -> list[Object]:
    """The lines of a trial, which cost nothing."""
    found = []
    for item in split(subscription["items"]["data"])[0]:
        period = (item["current_period_start"], item["current_period_end"])
        found.append(
            line(
                account,
                subscription,
                item["price"],
                amount=0,
                quantity=item["quantity"],
                period=period,
                description=f"Trial period for {item['price']['id']}",
                item=item,
            )
        )
    return found


def collect_first(account: Account, subscription: Object, invoice: Object, order: Order) -> None:
    """Collect the first invoice. Raises StripeError 402 where the order insists on payment."""
    if order.collection_method == "send_invoice":
        issue(account, invoice, at_once=False)
        return
    account.emit("invoice.created", invoice)
    finalise(account, invoice)
    if invoice["amount_due"] == 0:
        mark_paid(account, invoice)
        return
    expire = partial(expire_first, account, subscription, invoice)
    due = account.time_of(subscription) + INCOMPLETE_FOR
    account.timers.set(clock_of(subscription), due, ("expire", subscription["id"]), expire)
    if order.payment_behavior == "default_incomplete":
        return
    outcome = attempt(account, invoice, present=order.present)
    if outcome == "declined" and order.payment_behavior == "error_if_incomplete":
        expire_first(account, subscription, invoice)
        raise declined()
    if outcome == "processing":
        # A bank debit is on its way; until it fails the subscription runs.
        subscription["status"] = "active"
        account.timers.cancel("expire", subscription["id"])


def expire_first(account: Account, subscription: Object, invoice: Object) -> None:
    """The first payment never came."""
    if subscription["status"] == "incomplete":
        expire_incomplete(account, subscription)
        if invoice["status"] == "open":
            close(account, invoice, "void")
