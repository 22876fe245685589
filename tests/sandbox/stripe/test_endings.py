"""Trials, cancellations and pauses, as time passes."""

from typing import Any

import pytest
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.shop import DAY, START, Shop

HOUR = 3600
RENEWAL = START + 30 * DAY


def event_types(doubles: Doubles) -> list[str]:
    return [each["type"] for each in doubles.state("stripe")["events"]]


def update(shop: Shop, id_: str, **params: Any) -> stripe.Subscription:
    return shop.client.v1.subscriptions.update(id_, params)  # type: ignore[arg-type]


def test_a_trial_costs_nothing_and_warns_three_days_before_its_end(
    shop: Shop, doubles: Doubles
) -> None:
    clock = shop.clock()
    subscription = shop.subscribe(shop.customer(clock=clock), trial_period_days=14)
    assert subscription.status == "trialing"
    first = shop.invoices(subscription.id)[0]
    assert (first.status, first.total) == ("paid", 0)

    shop.advance(clock, START + 11 * DAY - 1)
    assert "customer.subscription.trial_will_end" not in event_types(doubles)
    shop.advance(clock, START + 11 * DAY)
    assert event_types(doubles).count("customer.subscription.trial_will_end") == 1
    shop.advance(clock, START + 14 * DAY + HOUR)

    assert shop.subscription(subscription.id).status == "active"
    assert shop.invoices(subscription.id)[0].amount_paid == 2900


def test_a_trial_that_is_ended_at_once_warns_too_and_is_billed(
    shop: Shop, doubles: Doubles
) -> None:
    subscription = shop.subscribe(shop.customer(), trial_period_days=14)

    update(shop, subscription.id, trial_end="now")

    assert event_types(doubles).count("customer.subscription.trial_will_end") == 1
    assert shop.subscription(subscription.id).status == "active"
    assert shop.invoices(subscription.id)[0].amount_paid == 2900


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [("pause", "paused"), ("cancel", "canceled"), ("create_invoice", "past_due")],
)
def test_a_trial_that_ends_without_a_card(behaviour: str, status: str, shop: Shop) -> None:
    clock = shop.clock()
    settings = {"end_behavior": {"missing_payment_method": behaviour}}
    subscription = shop.subscribe(
        shop.customer(None, clock), trial_period_days=14, trial_settings=settings
    )

    shop.advance(clock, START + 14 * DAY + HOUR)

    assert shop.subscription(subscription.id).status == status


def test_a_paused_trial_is_resumed_by_paying(shop: Shop, doubles: Doubles) -> None:
    clock = shop.clock()
    settings = {"end_behavior": {"missing_payment_method": "pause"}}
    customer = shop.customer(None, clock)
    subscription = shop.subscribe(customer, trial_period_days=14, trial_settings=settings)
    shop.advance(clock, START + 14 * DAY)
    shop.pays_with(customer, "pm_card_visa")

    shop.client.v1.subscriptions.resume(subscription.id)

    assert shop.subscription(subscription.id).status == "active"
    assert "customer.subscription.resumed" in event_types(doubles)
    assert shop.invoices(subscription.id)[0].amount_paid == 2900


def test_a_resumption_that_nobody_pays_leaves_it_paused(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    subscription = shop.subscribe(customer)
    keeps: Any = {"bill_for": {"unused_time_from": {"type": "none"}}}
    shop.client.v1.subscriptions.pause(subscription.id, keeps)
    shop.advance(clock, RENEWAL + DAY)
    assert len(shop.invoices(subscription.id)) == 1
    shop.pays_with(customer, "pm_card_chargeCustomerFail")

    shop.client.v1.subscriptions.resume(subscription.id)
    shop.advance(clock, RENEWAL + 2 * DAY)

    assert shop.subscription(subscription.id).status == "paused"
    assert shop.invoices(subscription.id)[0].status == "void"


def test_cancelled_at_the_period_end_it_runs_until_then(shop: Shop, doubles: Doubles) -> None:
    clock = shop.clock()
    subscription = shop.subscribe(shop.customer(clock=clock))

    asked = update(shop, subscription.id, cancel_at_period_end=True)

    assert (asked.status, asked.cancel_at, asked.canceled_at) == ("active", RENEWAL, START)
    shop.advance(clock, RENEWAL)
    ended = shop.subscription(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", RENEWAL)
    assert len(shop.invoices(subscription.id)) == 1
    assert "customer.subscription.deleted" in event_types(doubles)


def test_a_yearly_plan_with_monthly_use_ends_early_by_the_boolean(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), shop.yearly, shop.metered)
    yearly, monthly = (item.current_period_end for item in subscription["items"].data)

    by_boolean = update(shop, subscription.id, cancel_at_period_end=True).cancel_at
    by_time = update(shop, subscription.id, cancel_at="max_period_end")

    assert by_boolean == monthly
    assert (by_time.cancel_at, by_time.cancel_at_period_end) == (yearly, False)
    cleared = update(shop, subscription.id, cancel_at="")
    assert (cleared.cancel_at, cleared.canceled_at) == (None, None)


def test_cancelled_now_nothing_is_collected_any_more(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    subscription = shop.subscribe(customer)
    shop.pays_with(customer, "pm_card_chargeCustomerFail")
    shop.advance(clock, RENEWAL + HOUR)

    ended = shop.client.v1.subscriptions.cancel(subscription.id)

    assert ended.status == "canceled"
    invoice = shop.invoices(subscription.id)[0]
    assert (invoice.status, invoice.auto_advance) == ("open", False)
    assert invoice.next_payment_attempt is None
    with pytest.raises(stripe.InvalidRequestError, match="canceled"):
        update(shop, subscription.id, cancel_at_period_end=True)


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [("keep_as_draft", "draft"), ("void", "void"), ("mark_uncollectible", "uncollectible")],
)
def test_paused_collection_leaves_the_status_and_bills_nobody(
    behaviour: str, status: str, shop: Shop
) -> None:
    clock = shop.clock()
    subscription = shop.subscribe(shop.customer(clock=clock))
    update(
        shop, subscription.id, pause_collection={"behavior": behaviour, "resumes_at": RENEWAL + DAY}
    )

    shop.advance(clock, RENEWAL + 2 * HOUR)

    assert shop.invoices(subscription.id)[0].status == status
    assert shop.subscription(subscription.id).status == "active"
    shop.advance(clock, RENEWAL + DAY)
    assert shop.subscription(subscription.id).pause_collection is None


def test_a_deleted_customer_leaves_a_tombstone_and_no_subscription(
    shop: Shop, doubles: Doubles
) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)

    shop.client.v1.customers.delete(customer)

    gone = shop.client.v1.customers.retrieve(customer)
    assert gone.to_dict() == {"id": customer, "object": "customer", "deleted": True}
    assert shop.subscription(subscription.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.subscribe(customer)
    assert (refused.value.code, refused.value.param) == ("resource_missing", "customer")
    assert event_types(doubles)[-1] == "customer.deleted"


def test_a_classic_subscription_is_migrated_once(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer(), billing_mode={"type": "classic"})
    mode: Any = {"billing_mode": {"type": "flexible"}}

    migrated = shop.client.v1.subscriptions.migrate(subscription.id, mode)

    assert migrated.billing_mode.type == "flexible"
    with pytest.raises(stripe.InvalidRequestError, match="already"):
        shop.client.v1.subscriptions.migrate(subscription.id, mode)
