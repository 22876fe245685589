"""Subscription schedules: changes that are planned, as downgrades at a period's end."""

from typing import Any

from sandbox.stripe.billing.ending import end_now, release_schedule
from sandbox.stripe.billing.phases import current_phase, plan_phases
from sandbox.stripe.billing.scheduling import schedule_phase, set_discounts
from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object, update_map

PATH = "/v1/subscription_schedules"
KIND = "subscription_schedule"
OPEN = {"active", "not_started"}
UPDATE = {
    "end_behavior": "cancel|release",
    "metadata": "map?",
    "phases[].billing_cycle_anchor": "automatic|phase_start",
    "phases[].discounts": "list?",
    "phases[].discounts[].coupon": "str",
    "phases[].discounts[].discount": "str",
    "phases[].duration.interval!": "day|month|week|year",
    "phases[].duration.interval_count": "int",
    "phases[].end_date": "int|now",
    "phases[].items[].metadata": "map",
    "phases[].items[].price": "str",
    "phases[].items[].quantity": "int",
    "phases[].items!": "list",
    "phases[].metadata": "map",
    "phases[].proration_behavior": "always_invoice|create_prorations|none",
    "phases[].start_date": "int|now",
    "proration_behavior": "always_invoice|create_prorations|none",
}


@endpoint("POST", PATH, {"from_subscription": "str", "metadata": "map?"})
def create(call: Call) -> Object:
    """A schedule for a subscription that runs, of one phase: as it is now."""
    account = call.account
    if call["from_subscription"] is None:
        raise invalid("The sandbox makes schedules from subscriptions alone.", "from_subscription")
    subscription = account.get("subscription", call["from_subscription"], "from_subscription")
    if subscription["schedule"] is not None:
        raise invalid(
            "You cannot migrate a subscription that is already attached to a schedule: "
            f"{subscription['schedule']}.",
            "from_subscription",
        )
    if subscription["ended_at"] is not None or subscription["status"] == "incomplete":
        raise invalid(f"A subscription that is {subscription['status']} has no schedule.")
    if subscription["cancel_at"] is not None:
        raise invalid("The subscription is set to cancel; clear that first.", "from_subscription")
    schedule = account.add(
        KIND,
        subscription,
        billing_mode=subscription["billing_mode"],
        customer=subscription["customer"],
        default_settings=settings(subscription),
        end_behavior="release",
        metadata=dict(call["metadata"] or {}),
        pause_schedules=[],
        phases=[],
        status="active",
        subscription=subscription["id"],
        test_clock=subscription["test_clock"],
    )
    plan_phases(account, schedule, subscription, None)
    with account.change(subscription, "customer.subscription.updated"):
        subscription["schedule"] = schedule["id"]
    account.emit(f"{KIND}.created", schedule)
    schedule_phase(account, schedule)
    return schedule


def settings(subscription: Object) -> Object:
    """What phases take where they say nothing else."""
    return {
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": "automatic",
        "billing_thresholds": None,
        "collection_method": subscription["collection_method"],
        "default_payment_method": subscription["default_payment_method"],
        "description": None,
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "days_until_due": subscription["days_until_due"],
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "on_behalf_of": None,
        "transfer_data": None,
    }


@endpoint("GET", PATH + "/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get(KIND, call.id)


@endpoint("POST", PATH + "/{id}", UPDATE)
def update(call: Call) -> Object:
    """Replace the phases; the current one must be repeated."""
    account, schedule = call.account, open_schedule(call)
    subscription = account.get("subscription", schedule["subscription"])
    with account.change(schedule, f"{KIND}.updated"):
        update_map(schedule["metadata"], call.params.get("metadata"))
        schedule["end_behavior"] = call["end_behavior"] or schedule["end_behavior"]
        if call["phases"] is not None:
            plan_phases(account, schedule, subscription, call["phases"])
    if call["phases"] is not None:
        now = account.time_of(subscription)
        with account.change(subscription, "customer.subscription.updated"):
            set_discounts(account, subscription, current_phase(schedule["phases"], now))
    schedule_phase(account, schedule)
    return schedule


def open_schedule(call: Call) -> Object:
    """Raises StripeError 400 where a schedule is over."""
    schedule = call.account.get(KIND, call.id)
    if schedule["status"] not in OPEN:
        raise invalid(f"You cannot change a subscription schedule that is {schedule['status']}.")
    return schedule


@endpoint("POST", PATH + "/{id}/release", {"preserve_cancel_date": "bool"})
def release(call: Call) -> Object:
    """Let the subscription go on as it is."""
    account, schedule = call.account, open_schedule(call)
    subscription = account.get("subscription", schedule["subscription"])
    with account.change(subscription, "customer.subscription.updated"):
        release_schedule(account, subscription, "released")
    return schedule


@endpoint("POST", PATH + "/{id}/cancel", {"invoice_now": "bool", "prorate": "bool"})
def cancel(call: Call) -> Object:
    """End the schedule and its subscription now."""
    account, schedule = call.account, open_schedule(call)
    end_now(account, account.get("subscription", schedule["subscription"]))
    return schedule


@endpoint("GET", PATH, PAGE | CREATED | {"customer": "str"})
def list_(call: Call) -> Object:
    rows: Any = call.account.of(KIND).values()
    return page_of(call, rows, customer=call["customer"])
