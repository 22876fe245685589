"""The phases of a schedule, and what a subscription becomes when one begins."""

from functools import partial
from typing import Any

from sandbox.stripe.account import Account, clock_of
from sandbox.stripe.billing.changing import change_item
from sandbox.stripe.billing.ending import release_schedule
from sandbox.stripe.billing.items import (
    check_items,
    new_item,
    next_end,
    price_of,
    set_period,
    split,
)
from sandbox.stripe.billing.lines import is_metered
from sandbox.stripe.billing.periods import after, period_at, same_interval
from sandbox.stripe.billing.renewing import cycle, end_as_planned, set_timers
from sandbox.stripe.billing.settling import UPDATED
from sandbox.stripe.billing.updating import update_items
from sandbox.stripe.errors import invalid
from sandbox.stripe.objects import Object, update_map

# What a phase could say and the double does not do.
UNUSED = (
    "application_fee_percent", "billing_thresholds", "collection_method", "default_payment_method",
    "description", "on_behalf_of", "transfer_data", "trial_end",
)  # fmt: skip


def plan_phases(
    account: Account, schedule: Object, subscription: Object, given: list[dict[str, Any]] | None
) -> None:
    """Set the phases, by default one that is the subscription as it is. Raises StripeError 400."""
    now = account.time_of(subscription)
    if given is None:
        start = min(each["current_period_start"] for each in subscription["items"]["data"])
        items = [
            {"price": each["price"]["id"], "quantity": each.get("quantity")}
            for each in subscription["items"]["data"]
        ]
        given = [{"items": items, "start_date": start, "end_date": next_end(subscription)}]
    phases: list[Object] = []
    for i, each in enumerate(given):
        param = f"phases[{i}]"
        start = date_of(each.get("start_date"), now)
        if start is None:
            start = phases[-1]["end_date"] if phases else schedule["phases"][0]["start_date"]
        if phases and start != phases[-1]["end_date"]:
            raise invalid("Phases must follow each other without a gap.", f"{param}[start_date]")
        end = end_of(each, start, now, last=i == len(given) - 1)
        phases.append(phase_of(account, subscription, each, (start, end), param))
    check_current(schedule, phases, now)
    schedule["phases"] = phases
    current = current_phase(phases, now)
    schedule["current_phase"] = {name: current[name] for name in ("start_date", "end_date")}


def date_of(value: int | str | None, now: int) -> int | None:
    return now if value == "now" else value  # type: ignore[return-value]


def end_of(given: dict[str, Any], start: int, now: int, *, last: bool) -> int:
    """When a phase ends. Raises StripeError 400."""
    duration = given.get("duration")
    if duration is not None:
        recurring = {"interval": duration["interval"], "interval_count": 1}
        return after(start, recurring, duration.get("interval_count", 1))
    end = date_of(given.get("end_date"), now)
    if end is None:
        if not last:
            raise invalid("Every phase but the last needs an end_date or a duration.", "phases")
        # Stripe lets a last phase without an end last one interval of its first price.
        return after(start, {"interval": "month", "interval_count": 1}, 1)
    if end <= start:
        raise invalid("A phase must end after its start.", "phases")
    return end


def check_current(schedule: Object, phases: list[Object], now: int) -> None:
    """Raises StripeError 400 where the phase that runs is not repeated as it is."""
    running = schedule["current_phase"]
    if running is None:
        return
    if not any(each["start_date"] == running["start_date"] for each in phases):
        raise invalid(
            "You can not modify the start date of the current phase.", "phases[0][start_date]"
        )
    if phases[-1]["end_date"] <= now:
        raise invalid("The last phase must end in the future.", "phases")


def phase_of(
    account: Account,
    subscription: Object,
    given: dict[str, Any],
    dates: tuple[int, int],
    param: str,
) -> Object:
    """A phase as it is shown. Raises StripeError 400."""
    discounts = [
        {name: each.get(name) for name in ("coupon", "discount", "promotion_code")}
        for each in given.get("discounts") or []
    ]
    return dict.fromkeys(UNUSED) | {
        "add_invoice_items": [],
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": given.get("billing_cycle_anchor"),
        "currency": subscription["currency"],
        "default_tax_rates": [],
        "discounts": discounts,
        "end_date": dates[1],
        "invoice_settings": None,
        "items": [
            phase_item(account, each, f"{param}[items][{i}]")
            for i, each in enumerate(given["items"])
        ],
        "metadata": dict(given.get("metadata") or {}),
        "proration_behavior": given.get("proration_behavior") or "create_prorations",
        "start_date": dates[0],
    }


def phase_item(account: Account, given: dict[str, Any], param: str) -> Object:
    """An item of a phase; a metered one has no quantity. Raises StripeError 400."""
    price = price_of(account, given, param)
    metered = price["recurring"]["usage_type"] == "metered"
    if metered and given.get("quantity") is not None:
        raise invalid("A metered item has no quantity.", f"{param}[quantity]")
    item = {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": dict(given.get("metadata") or {}),
        "plan": price["id"],
        "price": price["id"],
        "tax_rates": [],
    }
    return item if metered else item | {"quantity": given.get("quantity") or 1}


def current_phase(phases: list[Object], now: int) -> Object:
    return next((each for each in reversed(phases) if each["start_date"] <= now), phases[0])


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
    old_fixed = split(subscription["items"]["data"])[0]
    if any(each["current_period_end"] > now for each in old_fixed):
        given = as_update(subscription, phase)
        params = {"items": given, "proration_behavior": phase["proration_behavior"]}
        update_items(account, subscription, params)
        return
    with account.change(subscription, UPDATED):
        replace_items(account, subscription, phase, now)
    cycle(account, subscription)


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
