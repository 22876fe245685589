"""Schedules: a downgrade waits for the period's end."""

from typing import Any

import pytest
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.shop import DAY, START, Shop

HOUR = 3600
RENEWAL = START + 30 * DAY


def downgrade(shop: Shop, subscription: stripe.Subscription, *items: dict[str, Any]) -> str:
    """Let the items change at the period's end, by a schedule; its id."""
    schedules = shop.client.v1.subscription_schedules
    schedule = schedules.create({"from_subscription": subscription.id})
    phase = schedule.phases[0]
    now = [
        {"price": item.price, "quantity": getattr(item, "quantity", None)}
        for item in phase["items"]
    ]
    now = [{k: v for k, v in each.items() if v is not None} for each in now]
    params: Any = {
        "phases": [
            {"items": now, "start_date": phase.start_date, "end_date": phase.end_date},
            {"items": list(items), "proration_behavior": "none"},
        ],
        "end_behavior": "release",
    }
    return schedules.update(schedule.id, params).id


def test_a_downgrade_waits_for_the_period_end_and_is_billed_then(
    shop: Shop, doubles: Doubles
) -> None:
    clock = shop.clock()
    subscription = shop.subscribe(shop.customer(clock=clock), shop.higher, shop.metered)
    items = ({"price": shop.monthly, "quantity": 1}, {"price": shop.metered})
    schedule = downgrade(shop, subscription, *items)
    with pytest.raises(stripe.InvalidRequestError, match="schedule"):
        shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})

    shop.advance(clock, RENEWAL - 1)
    before = shop.subscription(subscription.id)
    shop.advance(clock, RENEWAL + HOUR)
    after = shop.subscription(subscription.id)

    assert before["items"].data[0].price.id == shop.higher
    assert after["items"].data[0].price.id == shop.monthly
    assert [each.id for each in after["items"].data] == [each.id for each in before["items"].data]
    newest = shop.invoices(subscription.id)[0]
    assert (newest.billing_reason, newest.amount_paid) == ("subscription_cycle", 2900)
    shop.advance(clock, RENEWAL + 31 * DAY)
    released = shop.client.v1.subscription_schedules.retrieve(schedule)
    assert (released.status, released.released_subscription) == ("released", subscription.id)
    assert shop.subscription(subscription.id).schedule is None
    types = [each["type"] for each in doubles.state("stripe")["events"]]
    assert "subscription_schedule.released" in types


def test_from_year_to_month_by_a_schedule(shop: Shop) -> None:
    clock = shop.clock()
    subscription = shop.subscribe(shop.customer(clock=clock), shop.yearly)
    downgrade(shop, subscription, {"price": shop.monthly, "quantity": 1})

    shop.advance(clock, START + 365 * DAY + HOUR)

    now = shop.subscription(subscription.id)
    assert now["items"].data[0].price.id == shop.monthly
    assert now["items"].data[0].current_period_end == START + (365 + 30) * DAY
    assert shop.invoices(subscription.id)[0].amount_paid == 2900


def test_a_released_schedule_changes_nothing(shop: Shop) -> None:
    clock = shop.clock()
    subscription = shop.subscribe(shop.customer(clock=clock), shop.higher)
    schedule = downgrade(shop, subscription, {"price": shop.monthly, "quantity": 1})

    shop.client.v1.subscription_schedules.release(schedule)
    shop.advance(clock, RENEWAL + HOUR)

    assert shop.subscription(subscription.id)["items"].data[0].price.id == shop.higher
    assert shop.invoices(subscription.id)[0].amount_paid == 9900


@pytest.mark.parametrize("repeated", [True, False])
def test_a_discount_goes_on_only_where_the_phases_repeat_it(repeated: bool, shop: Shop) -> None:
    coupon = shop.client.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    subscription = shop.subscribe(customer, discounts=[{"coupon": coupon.id}])
    schedules = shop.client.v1.subscription_schedules
    schedule = schedules.create({"from_subscription": subscription.id})
    phase = schedule.phases[0]
    discounts = [{"discount": str(each.discount)} for each in phase.discounts]
    items = [{"price": shop.monthly, "quantity": 1}]
    params: Any = {
        "phases": [
            {
                "items": items,
                "start_date": phase.start_date,
                "end_date": phase.end_date,
                "discounts": discounts,
            },
            {"items": items, "metadata": {"moved": "yes"}},
        ]
    }
    if repeated:
        params["phases"][1]["discounts"] = discounts
    schedules.update(schedule.id, params)

    shop.advance(clock, RENEWAL + HOUR)

    assert shop.invoices(subscription.id)[0].amount_paid == (1450 if repeated else 2900)
    assert shop.subscription(subscription.id).metadata["moved"] == "yes"


def test_the_current_phase_must_be_repeated(shop: Shop) -> None:
    clock = shop.clock()
    subscription = shop.subscribe(shop.customer(clock=clock), shop.higher)
    schedules = shop.client.v1.subscription_schedules
    schedule = schedules.create({"from_subscription": subscription.id})
    shop.advance(clock, START + DAY)
    phase: Any = {"items": [{"price": shop.monthly, "quantity": 1}], "start_date": "now"}

    with pytest.raises(stripe.InvalidRequestError, match="start date of the current phase"):
        schedules.update(schedule.id, {"phases": [phase]})
    with pytest.raises(stripe.InvalidRequestError, match="already attached"):
        schedules.create({"from_subscription": subscription.id})
