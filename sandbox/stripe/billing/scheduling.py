"""What a subscription becomes when a phase of its schedule begins, and when the last one ends."""

from functools import partial
from typing import Any

from sandbox.stripe.account import Account, clock_of
from sandbox.stripe.billing.changing import change_item
from sandbox.stripe.billing.discounts import apply, chosen
from sandbox.stripe.billing.ending import release_schedule
from sandbox.stripe.billing.items import (
    check_items,
    new_item,
    set_period,
    split,
)
from sandbox.stripe.billing.lines import is_metered
from sandbox.stripe.billing.periods import period_at, same_interval
from sandbox.stripe.billing.renewing import cycle, end_as_planned, set_timers
from sandbox.stripe.billing.settling import UPDATED
from sandbox.stripe.billing.updating import update_items
from sandbox.stripe.objects import Object, update_map


def schedule_phase(account: Account, schedule: Object) -> None:
    """Let the next phase begin, or the schedule end, when the current one is over."""
    due = schedule["current_phase"]["end_date"]
    key, action = ("phase", schedule["id"]), partial(next_phase, account, schedule)
    account.timers.set(clock_of(schedule), due, key, action)
    # A renewal at the same second must find the phase that it bills.
    subscription = account.get("subscription", schedule["subscription"])
    set_timers(account, subscription)


def next_phase(account: Account, schedule: Object) -> None:
    subscription = account.get("subscription", schedule["subscription"])
    now = account.time_of(schedule)
    upcoming = [each for each in schedule["phases"] if each["start_date"] == now]
    if not upcoming:
        finish(account, schedule, subscription)
        return
    phase = upcoming[0]
    with account.change(schedule, "subscription_schedule.updated"):
        schedule["current_phase"] = {name: phase[name] for name in ("start_date", "end_date")}
    begin(account, subscription, phase)
    schedule_phase(account, schedule)


def finish(account: Account, schedule: Object, subscription: Object) -> None:
    """The last phase is over."""
    if schedule["end_behavior"] == "cancel":
        now = account.time_of(schedule)
        schedule |= {"status": "completed", "completed_at": now, "current_phase": None}
        subscription["schedule"] = None
        account.emit("subscription_schedule.completed", schedule)
        end_as_planned(account, subscription)
        return
    with account.change(subscription, UPDATED):
        release_schedule(account, subscription, "released")


def begin(account: Account, subscription: Object, phase: Object) -> None:
    """Let a subscription be as a phase says: at a period's end with the renewal, else prorated."""
    now = account.time_of(subscription)
    update_map(subscription["metadata"], phase["metadata"])
    set_discounts(account, subscription, phase)
    old_fixed = split(subscription["items"]["data"])[0]
    if any(each["current_period_end"] > now for each in old_fixed):
        given = as_update(subscription, phase)
        params = {"items": given, "proration_behavior": phase["proration_behavior"]}
        update_items(account, subscription, params)
        return
    with account.change(subscription, UPDATED):
        replace_items(account, subscription, phase, now)
    cycle(account, subscription)


def set_discounts(account: Account, subscription: Object, phase: Object) -> None:
    """Give a subscription the discounts of a phase; one that the phase does not repeat is gone."""
    kept = [each["discount"] for each in phase["discounts"] if each["discount"]]
    fresh = [{"coupon": each["coupon"]} for each in phase["discounts"] if not each["discount"]]
    customer = account.get("customer", subscription["customer"])
    coupons = chosen(account, fresh, customer)
    made = apply(account, coupons, customer, subscription=subscription["id"])
    subscription["discounts"] = [*kept, *made]
    # A coupon is redeemed once, however often the phase is looked at.
    phase["discounts"] = [
        {"coupon": None, "discount": each, "promotion_code": None}
        for each in subscription["discounts"]
    ]


def as_update(subscription: Object, phase: Object) -> list[dict[str, Any]]:
    """The items of a phase in the form of an update of a subscription."""
    wanted = [dict(each) for each in phase["items"]]
    given: list[dict[str, Any]] = []
    kept, free = [], []
    for item in subscription["items"]["data"]:
        same = next((each for each in wanted if each["price"] == item["price"]["id"]), None)
        if same is None:
            free.append(item)
        else:
            wanted.remove(same)
            kept.append((item, same))
    for item, same in kept:
        if "quantity" in same:
            given.append({"id": item["id"], "quantity": same["quantity"]})
    for item in free:
        licensed = next((each for each in wanted if "quantity" in each), None)
        if licensed is None or is_metered(item):
            given.append({"id": item["id"], "deleted": True})
        else:
            wanted.remove(licensed)
            pair = {"price": licensed["price"], "quantity": licensed["quantity"]}
            given.append({"id": item["id"]} | pair)
    names = ("price", "quantity")
    return [*given, *({name: each[name] for name in names if name in each} for each in wanted)]


def replace_items(account: Account, subscription: Object, phase: Object, now: int) -> None:
    """Change items whose period is over; the renewal that follows bills them as they are now."""
    items: list[Object] = subscription["items"]["data"]
    for given in as_update(subscription, phase):
        item = next((each for each in items if each["id"] == given.get("id")), None)
        if item is None:
            made = new_item(account, subscription, given, "items")
            anchor, recurring = subscription["billing_cycle_anchor"], made["price"]["recurring"]
            set_period(made, *period_at(anchor, recurring, now))
            items.append(made)
        elif given.get("deleted"):
            items.remove(item)
        else:
            before = item["price"]["recurring"]
            change_item(account, item, given, "items")
            if not same_interval(before, item["price"]["recurring"]):
                subscription["billing_cycle_anchor"] = now
    check_items(items, subscription["billing_mode"]["type"])
    subscription["items"]["total_count"] = len(items)
