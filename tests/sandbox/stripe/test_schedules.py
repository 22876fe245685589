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
