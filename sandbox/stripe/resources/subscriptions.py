"""Subscriptions."""

from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.billing.cancelling import cancel_now, plan_end
from sandbox.stripe.billing.creating import Order, create_subscription
from sandbox.stripe.billing.discounts import apply, chosen
from sandbox.stripe.billing.pausing import pause, pause_collection, resume
from sandbox.stripe.billing.renewing import set_timers
from sandbox.stripe.billing.settling import UPDATED
from sandbox.stripe.billing.updating import update_items
from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import on_clock, page_of
from sandbox.stripe.objects import Object, public, update_map
from sandbox.stripe.resources.customers import owned
from sandbox.stripe.resources.subscription_parameters import (
    CANCEL,
    CREATE,
    LIST,
    PAUSE,
    RESUME,
    UPDATE,
)

PATH = "/v1/subscriptions"
DAY = 86400
CHANGES_ITEMS = {"items", "billing_cycle_anchor", "trial_end"}
ENDED = {"canceled", "incomplete_expired"}


@endpoint("POST", PATH, CREATE)
def create(call: Call) -> Object:
    account = call.account
    if call["customer"] is None:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = account.live("customer", call["customer"], "customer")
    if call["default_payment_method"]:
        owned(account, customer, call["default_payment_method"], "default_payment_method")
    trial = call["trial_settings"] or {}
    order = Order(
        customer,
        call["items"] or [],
        metadata=dict(call["metadata"] or {}),
        trial_end=trial_end(account, customer, call),
        billing_mode=(call["billing_mode"] or {}).get("type", "flexible"),
        payment_method=call["default_payment_method"],
        payment_behavior=call["payment_behavior"] or "allow_incomplete",
        collection_method=call["collection_method"] or "charge_automatically",
        days_until_due=call["days_until_due"],
        coupons=chosen(account, call["discounts"] or [], customer),
        missing_payment_method=trial.get("end_behavior", {}).get(
            "missing_payment_method", "create_invoice"
        ),
        description=call["description"],
        automatic_tax=(call["automatic_tax"] or {}).get("enabled", False),
    )
    subscription = create_subscription(account, order)
    if call["cancel_at_period_end"] or call["cancel_at"] is not None:
        plan_end(account, subscription, call.params)
        set_timers(account, subscription)
    return subscription


def trial_end(account: Account, customer: Object, call: Call) -> int | None:
    """When a new subscription's trial ends. Raises StripeError 400."""
    end, days = call["trial_end"], call["trial_period_days"]
    if end is not None and days is not None:
        raise invalid("You may only specify one of trial_end, trial_period_days.", "trial_end")
    if days is not None:
        return account.time_of(customer) + int(days) * DAY
    return None if end == "now" else end


@endpoint("GET", PATH + "/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get("subscription", call.id)


@endpoint("POST", PATH + "/{id}", UPDATE)
def update(call: Call) -> Object:
    """Settings first, then what may cost something."""
    account, subscription = call.account, call.account.get("subscription", call.id)
    check_editable(subscription, call.params)
    pending = call["payment_behavior"] == "pending_if_incomplete"
    if pending or CHANGES_ITEMS & set(call.params):
        if not pending:
            change_settings(account, subscription, call)
        update_items(account, subscription, call.params)
    else:
        change_settings(account, subscription, call)
    return subscription


def check_editable(subscription: Object, params: dict[str, Any]) -> None:
    """Raises StripeError 400."""
    if subscription["status"] in ENDED and set(params) - {"metadata", "cancellation_details"}:
        raise invalid(
            "A canceled subscription can only update its cancellation_details and metadata."
        )
    managed = CHANGES_ITEMS | {"cancel_at", "cancel_at_period_end"}
    if subscription["schedule"] is not None and managed & set(params):
        raise invalid(
            "The subscription is managed by the subscription schedule "
            f"`{subscription['schedule']}`, and updating any cancelation behavior directly is not "
            "allowed. Please update the schedule instead."
        )


def change_settings(account: Account, subscription: Object, call: Call) -> None:
    """Set what costs nothing. Raises StripeError 400."""
    params = call.params
    customer = account.get("customer", subscription["customer"])
    if call["default_payment_method"]:
        owned(account, customer, call["default_payment_method"], "default_payment_method")
    with account.change(subscription, UPDATED):
        update_map(subscription["metadata"], params.get("metadata"))
        for name in (
            "default_payment_method",
            "collection_method",
            "days_until_due",
            "description",
        ):
            if name in params:
                subscription[name] = call[name]
        for name in ("cancellation_details", "automatic_tax", "trial_settings"):
            subscription[name] |= params.get(name) or {}
        if "pause_collection" in params:
            pause_collection(account, subscription, params["pause_collection"])
        if "discounts" in params:
            coupons = chosen(account, call["discounts"] or [], customer)
            made = apply(account, coupons, customer, subscription=subscription["id"])
            subscription["discounts"] = made
        if {"cancel_at", "cancel_at_period_end"} & set(params):
            plan_end(account, subscription, params)
    set_timers(account, subscription)


@endpoint("DELETE", PATH + "/{id}", CANCEL)
def cancel(call: Call) -> Object:
    """End a subscription now; with `invoice_now`, what was used is billed first."""
    account, subscription = call.account, call.account.get("subscription", call.id)
    if subscription["status"] in ENDED:
        raise invalid(f"No such subscription: '{call.id}'", "id", "resource_missing")
    subscription["cancellation_details"] |= call["cancellation_details"] or {}
    cancel_now(
        account,
        subscription,
        invoice_now=bool(call["invoice_now"]),
        prorate=bool(call["prorate"]),
    )
    return subscription


@endpoint("POST", PATH + "/{id}/pause", PAUSE)
def pause_subscription(call: Call) -> Object:
    subscription = call.account.get("subscription", call.id)
    pause(call.account, subscription, call.params)
    return subscription


@endpoint("POST", PATH + "/{id}/resume", RESUME)
def resume_subscription(call: Call) -> Object:
    subscription = call.account.get("subscription", call.id)
    resume(call.account, subscription, call.params)
    return subscription


@endpoint(
    "POST", PATH + "/{id}/migrate", {"billing_mode!": "object", "billing_mode.type!": "flexible"}
)
def migrate(call: Call) -> Object:
    """From the classic billing mode to the flexible one; there is no way back."""
    account, subscription = call.account, call.account.get("subscription", call.id)
    if subscription["billing_mode"]["type"] == "flexible":
        raise invalid("The subscription is already in flexible billing mode.", "billing_mode")
    with account.change(subscription, UPDATED):
        subscription["billing_mode"] = {
            "flexible": {"proration_discounts": "included"},
            "type": "flexible",
            "updated_at": account.time_of(subscription),
        }
    return subscription


@endpoint("GET", PATH, PAGE | CREATED | LIST)
def list_(call: Call) -> Object:
    """Subscriptions; without a status, those that were not cancelled."""
    rows = call.account.of("subscription").values()
    status, price = call["status"], call["price"]
    found = [
        row
        for row in (rows if call["customer"] else on_clock(call, rows))
        if listed(row, status)
        and (price is None or any(i["price"]["id"] == price for i in row["items"]["data"]))
    ]
    equal = {"customer": call["customer"], "collection_method": call["collection_method"]}
    return page_of(call, found, **equal)


def listed(row: Object, status: str | None) -> bool:
    match status:
        case None:
            return bool(row["status"] != "canceled")
        case "all":
            return True
        case "ended":
            return row["status"] in ENDED
        case _:
            return bool(row["status"] == status)


@endpoint("GET", "/v1/subscription_items", PAGE | {"subscription!": "str"})
def list_items(call: Call) -> Object:
    subscription = call.account.get("subscription", call["subscription"], "subscription")
    return page_of(call, [public(each) for each in subscription["items"]["data"][::-1]])
