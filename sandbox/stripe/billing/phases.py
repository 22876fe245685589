"""The phases of a schedule."""

from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.billing.items import next_end, price_of
from sandbox.stripe.billing.periods import after
from sandbox.stripe.errors import invalid
from sandbox.stripe.objects import Object

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
        discounts = [{"discount": each} for each in subscription["discounts"]]
        given = [
            {
                "discounts": discounts,
                "end_date": next_end(subscription),
                "items": items,
                "start_date": start,
            }
        ]
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
    return now if isinstance(value, str) else value


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
