"""Changes of a subscription's items: what they would be, and their being made."""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.billing.items import (
    check_items,
    new_item,
    price_of,
    set_period,
    set_periods,
    set_price,
    split,
)
from sandbox.stripe.billing.lines import is_metered, licensed
from sandbox.stripe.billing.periods import same_interval
from sandbox.stripe.billing.prorating import remaining, unused
from sandbox.stripe.billing.usage import usage_line
from sandbox.stripe.errors import invalid
from sandbox.stripe.objects import Object, update_map

DAY = 86400


@dataclass
class Change:
    """What a subscription's items are to be, and what that costs.

    `at_once` tells that an invoice is due now, whatever the behaviour of prorations is.
    """

    items: list[Object]
    anchor: int
    trial_end: int | None
    lines: list[Object] = field(default_factory=list)
    at_once: bool = False


def planned(account: Account, subscription: Object, params: dict[str, Any]) -> Change:
    """The change that a request describes; nothing is changed yet. Raises StripeError 400."""
    at = proration_date(account, subscription, params)
    now = account.time_of(subscription)
    old = subscription["items"]["data"]
    items = changed_items(account, subscription, params.get("items") or [])
    check_items(items, subscription["billing_mode"]["type"])
    trial_end = new_trial_end(subscription, params, now)
    change = Change(items, subscription["billing_cycle_anchor"], trial_end)
    if trial_end is not None and trial_end > now:
        change.anchor = trial_end
        for item in items:
            set_period(item, item.get("current_period_start", now), trial_end)
        return change
    ends_trial = subscription["status"] == "trialing"
    if resets_anchor(subscription, items, params) or ends_trial:
        change.anchor, change.at_once = now, True
        virtual = subscription | {"billing_cycle_anchor": now}
        set_periods(virtual, items, now)
        if not ends_trial:
            change.lines += given_back(account, subscription, old, at, params)
        change.lines += [licensed(account, subscription, each) for each in split(items)[0]]
        return change
    set_periods(subscription, [each for each in items if "current_period_end" not in each], now)
    if params.get("proration_behavior") != "none" and subscription["status"] != "trialing":
        change.lines = prorated(account, subscription, items, at)
    change.lines += removed_usage(account, subscription, items, now)
    return change


def proration_date(account: Account, subscription: Object, params: dict[str, Any]) -> int:
    """When a change is to count from. Raises StripeError 400."""
    now = account.time_of(subscription)
    at = params.get("proration_date")
    if at is None:
        return now
    items = subscription["items"]["data"]
    start = min(each["current_period_start"] for each in items)
    end = max(each["current_period_end"] for each in items)
    if not start <= at <= end:
        raise invalid(
            "Invalid proration date: it must lie within the current billing period.",
            "proration_date",
        )
    return int(at)


def new_trial_end(subscription: Object, params: dict[str, Any], now: int) -> int | None:
    """When the trial ends after the change. Raises StripeError 400."""
    asked = params.get("trial_end")
    if asked == "now":
        return now if subscription["trial_end"] is not None else None
    if isinstance(asked, int):
        if asked <= now:
            raise invalid("Invalid timestamp: must be in the future.", "trial_end")
        return asked
    end: int | None = subscription["trial_end"]
    return end


def changed_items(
    account: Account, subscription: Object, given: list[dict[str, Any]]
) -> list[Object]:
    """The items as a request wants them; those it does not name stay. Raises StripeError 400."""
    items: list[Object] = deepcopy(subscription["items"]["data"])
    for i, each in enumerate(given):
        param = f"items[{i}]"
        if each.get("id") is None:
            if each.get("deleted"):
                raise invalid(f"Missing required param: {param}[id].", f"{param}[id]")
            items.append(new_item(account, subscription, each, param))
            continue
        found = next((item for item in items if item["id"] == each["id"]), None)
        if found is None:
            raise invalid(
                f"Invalid subscription item: '{each['id']}'", f"{param}[id]", "resource_missing"
            )
        if each.get("deleted"):
            items.remove(found)
        else:
            change_item(account, found, each, param)
    return items


def change_item(account: Account, item: Object, given: dict[str, Any], param: str) -> None:
    """Raises StripeError 400."""
    if given.get("price") not in {None, item["price"]["id"]}:
        metered = is_metered(item)
        set_price(item, price_of(account, given, param))
        if is_metered(item) != metered:
            raise invalid(
                "A metered price cannot take the place of a licensed one; delete the item and add "
                "another.",
                f"{param}[price]",
            )
    if given.get("quantity") is not None:
        if is_metered(item):
            raise invalid("A metered item has no quantity.", f"{param}[quantity]")
        item["quantity"] = given["quantity"]
    update_map(item["metadata"], given.get("metadata"))


def resets_anchor(subscription: Object, items: list[Object], params: dict[str, Any]) -> bool:
    """Whether a new period begins now: by request, or since an item's interval changed."""
    if (params.get("billing_cycle_anchor") or {}).get("type") == "now":
        return True
    before = {each["id"]: each["price"]["recurring"] for each in subscription["items"]["data"]}
    return any(
        not same_interval(before[item["id"]], item["price"]["recurring"])
        for item in items
        if item["id"] in before
    )


def given_back(
    account: Account, subscription: Object, old: list[Object], at: int, params: dict[str, Any]
) -> list[Object]:
    """What is credited and billed of periods that are cut short."""
    fixed, metered = split(old)
    lines = [
        usage_line(account, subscription, each, each["current_period_start"], at)
        for each in metered
    ]
    if params.get("proration_behavior") != "none":
        lines += [unused(account, subscription, each, at) for each in fixed]
    return lines


def prorated(account: Account, subscription: Object, items: list[Object], at: int) -> list[Object]:
    """Credits and charges for the rest of the periods, item by item."""
    before = {each["id"]: each for each in split(subscription["items"]["data"])[0]}
    after = {each["id"]: each for each in split(items)[0]}
    lines = []
    for id_ in [*before, *(each for each in after if each not in before)]:
        old, new = before.get(id_), after.get(id_)
        if old and new and same_cost(old, new):
            continue
        if old:
            lines.append(unused(account, subscription, old, at))
        if new:
            lines.append(remaining(account, subscription, new, at))
    return lines


def same_cost(old: Object, new: Object) -> bool:
    return bool(old["price"]["id"] == new["price"]["id"] and old["quantity"] == new["quantity"])


def removed_usage(
    account: Account, subscription: Object, items: list[Object], now: int
) -> list[Object]:
    """The use of metered items that go; in classic mode it is lost."""
    if subscription["billing_mode"]["type"] == "classic":
        return []
    kept = {each["id"] for each in items}
    return [
        usage_line(account, subscription, each, each["current_period_start"], now)
        for each in split(subscription["items"]["data"])[1]
        if each["id"] not in kept
    ]


def make(account: Account, subscription: Object, change: Change) -> None:
    """Let the items be as planned. The caller tells of it and sets the timers."""
    subscription["items"] |= {"data": change.items, "total_count": len(change.items)}
    subscription["billing_cycle_anchor"] = change.anchor
    now = account.time_of(subscription)
    if change.trial_end is not None and change.trial_end > now:
        subscription["trial_end"] = change.trial_end
        subscription["trial_start"] = subscription["trial_start"] or now
        if subscription["status"] == "active":
            subscription["status"] = "trialing"
    elif subscription["status"] == "trialing":
        subscription |= {"trial_end": now, "status": "active"}
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = min(each["current_period_end"] for each in change.items)
