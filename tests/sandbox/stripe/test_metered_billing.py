"""What meters counted is billed in arrears, with the item that it is for."""

from typing import Any

import pytest

from tests.sandbox.stripe.shop import DAY, START, Shop

HOUR = 3600
RENEWAL = START + 30 * DAY


def report(shop: Shop, customer: str, value: str, at: int) -> None:
    payload = {"stripe_customer_id": customer, "value": value}
    params: Any = {"event_name": shop.meter.event_name, "payload": payload, "timestamp": at}
    shop.client.v1.billing.meter_events.create(params)


def test_use_is_billed_at_the_end_of_its_month_until_the_invoice_is_final(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    report(shop, customer, "100", at=START - 60)
    subscription = shop.subscribe(customer, shop.monthly, shop.metered)
    assert shop.invoices(subscription.id)[0].total == 2900
    report(shop, customer, "10", at=START + 60)
    report(shop, customer, "-2", at=START + 120)

    shop.advance(clock, RENEWAL + HOUR // 2)
    report(shop, customer, "4", at=RENEWAL - 120)
    shop.advance(clock, RENEWAL + HOUR)
    report(shop, customer, "1000", at=RENEWAL - 60)

    invoice = shop.invoices(subscription.id)[0]
    assert [(line.quantity, line.amount) for line in invoice.lines.data] == [(12, 600), (1, 2900)]
    assert invoice.amount_paid == 3500


def test_a_negative_month_bills_nothing(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    subscription = shop.subscribe(customer, shop.monthly, shop.metered)
    report(shop, customer, "-5", at=START)

    shop.advance(clock, RENEWAL + HOUR)

    assert shop.invoices(subscription.id)[0].total == 2900


def test_cancelled_now_use_is_lost_unless_it_is_invoiced(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    lost, kept = (shop.subscribe(customer, shop.monthly, shop.metered) for _ in range(2))
    report(shop, customer, "10", at=START)
    shop.advance(clock, START + DAY)

    shop.client.v1.subscriptions.cancel(lost.id)
    shop.client.v1.subscriptions.cancel(kept.id, {"invoice_now": True})

    assert len(shop.invoices(lost.id)) == 1
    assert shop.invoices(kept.id)[0].total == 500


def test_prices_below_a_cent_are_rounded_once(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    recurring = {"interval": "month", "usage_type": "metered", "meter": shop.meter.id}
    params: Any = {
        "product": shop.product,
        "currency": "usd",
        "unit_amount_decimal": "0.01",
        "recurring": recurring,
    }
    price = shop.client.v1.prices.create(params)
    assert price.unit_amount is None
    subscription = shop.subscribe(customer, shop.monthly, price.id)
    report(shop, customer, "12345", at=START)

    shop.advance(clock, RENEWAL + HOUR)

    assert shop.invoices(subscription.id)[0].lines.data[0].amount == 123


def test_two_subscriptions_bill_the_same_use_twice(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    both = [shop.subscribe(customer, shop.monthly, shop.metered) for _ in range(2)]
    report(shop, customer, "10", at=START)

    shop.advance(clock, RENEWAL + HOUR)

    assert [shop.invoices(each.id)[0].total for each in both] == [3400, 3400]


@pytest.mark.parametrize(("mode", "billed"), [("flexible", 500), ("classic", 0)])
def test_use_of_an_item_that_goes_is_lost_in_classic_mode(
    mode: str, billed: int, shop: Shop
) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    prices = (shop.metered, shop.monthly)
    subscription = shop.subscribe(customer, *prices, billing_mode={"type": mode})
    report(shop, customer, "10", at=START)
    shop.advance(clock, START + DAY)
    gone = [{"id": subscription["items"].data[0].id, "deleted": True}]
    params: Any = {"items": gone, "proration_behavior": "none"}

    shop.client.v1.subscriptions.update(subscription.id, params)
    shop.advance(clock, RENEWAL + HOUR)

    assert shop.invoices(subscription.id)[0].total == 2900 + billed


@pytest.mark.parametrize("at_once", [True, False])
def test_the_last_bill_is_charged_once_and_then_left_open(at_once: bool, shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    subscription = shop.subscribe(customer, shop.monthly, shop.metered)
    report(shop, customer, "10", at=START)
    shop.pays_with(customer, "pm_card_chargeCustomerFail")
    shop.advance(clock, START + DAY)
    if at_once:
        shop.client.v1.subscriptions.cancel(subscription.id, {"invoice_now": True})
    else:
        shop.client.v1.subscriptions.update(subscription.id, {"cancel_at": "max_period_end"})

    shop.advance(clock, RENEWAL + 20 * DAY)

    last = shop.invoices(subscription.id)[0]
    assert (last.total, last.status, last.attempt_count) == (500, "open", 1)
    assert last.next_payment_attempt is None
    shop.pays_with(customer, "pm_card_visa")
    assert shop.client.v1.invoices.pay(last.id).status == "paid"
    assert shop.subscription(subscription.id).status == "canceled"
