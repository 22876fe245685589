"""What is sold and how it is paid: products, prices, coupons, codes, cards, endpoints."""

from typing import Any

import pytest
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.receiver import Receiver
from tests.sandbox.stripe.shop import DAY, START, Shop


def test_a_product_is_changed_found_and_only_deleted_without_prices(shop: Shop) -> None:
    v1 = shop.client.v1
    products = v1.products
    empty = products.create({"id": "prod_empty", "name": "Empty"})
    with pytest.raises(stripe.InvalidRequestError) as taken:
        products.create({"id": "prod_empty", "name": "Again"})
    assert taken.value.code == "resource_already_exists"

    assert shop.monthly
    products.update(shop.product, {"description": "All of it", "default_price": shop.monthly})

    assert products.retrieve(shop.product).description == "All of it"
    assert [each.id for each in products.list({"ids": [empty.id]}).data] == [empty.id]
    with pytest.raises(stripe.InvalidRequestError, match="user-created prices"):
        products.delete(shop.product)
    products.delete(empty.id)
    with pytest.raises(stripe.InvalidRequestError):
        products.retrieve(empty.id)


def test_what_a_price_costs_never_changes(shop: Shop) -> None:
    cheaper: Any = {"unit_amount": 1}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.client.v1.prices.update(shop.monthly, cheaper)

    assert refused.value.code == "parameter_unknown"


def test_hundreds_are_rounded_up_where_the_price_says_so(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    recurring = {"interval": "month", "usage_type": "metered", "meter": shop.meter.id}
    hundreds = {"divide_by": 100, "round": "up"}
    price = shop.price(1, recurring=recurring, transform_quantity=hundreds)
    subscription = shop.subscribe(customer, shop.monthly, price)
    payload = {"stripe_customer_id": customer, "value": "6001"}
    event: Any = {"event_name": "trainings", "payload": payload, "timestamp": START}
    shop.client.v1.billing.meter_events.create(event)

    shop.advance(clock, START + 31 * DAY)

    assert shop.invoices(subscription.id)[0].total == 2900 + 61


def test_a_metered_price_needs_its_meter(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="meters"):
        shop.price(1, recurring={"interval": "month", "usage_type": "metered"})


def test_codes_are_found_switched_off_and_used_up(shop: Shop) -> None:
    v1 = shop.client.v1
    coupon = v1.coupons.create({"amount_off": 900, "currency": "usd", "duration": "once"})
    promotion: Any = {"type": "coupon", "coupon": coupon.id}
    code = v1.promotion_codes.create({"promotion": promotion, "code": "NINE", "max_redemptions": 1})
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        v1.promotion_codes.create({"promotion": promotion, "code": "nine"})
    assert [each.id for each in v1.promotion_codes.list({"code": "nine"}).data] == [code.id]

    subscription = shop.subscribe(shop.customer(), discounts=[{"promotion_code": code.id}])

    assert shop.invoices(subscription.id)[0].amount_paid == 2000
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        shop.subscribe(shop.customer(), discounts=[{"promotion_code": code.id}])
    other = v1.promotion_codes.create({"promotion": promotion})
    v1.promotion_codes.update(other.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        shop.subscribe(shop.customer(), discounts=[{"promotion_code": other.id}])


def test_a_coupon_lasts_some_months(shop: Shop) -> None:
    coupon = shop.client.v1.coupons.create(
        {"percent_off": 50, "duration": "repeating", "duration_in_months": 2}
    )
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    subscription = shop.subscribe(customer, discounts=[{"coupon": coupon.id}])

    shop.advance(clock, START + 62 * DAY)
    shop.advance(clock, START + 93 * DAY)

    assert [each.total for each in shop.invoices(subscription.id)] == [2900, 2900, 1450, 1450]


def test_a_pack_for_nothing_has_no_payment_intent(shop: Shop, doubles: Doubles) -> None:
    coupon = shop.client.v1.coupons.create({"percent_off": 100, "duration": "once"})
    pack, customer = shop.price(2500, recurring=None), shop.customer(None)
    session = shop.checkout(
        pack, mode="payment", customer=customer, discounts=[{"coupon": coupon.id}]
    )

    doubles.pay_checkout(session.id, None)

    done = shop.client.v1.checkout.sessions.retrieve(session.id)
    assert (done.payment_intent, done.payment_status) == (None, "no_payment_required")
    assert (done.amount_subtotal, done.amount_total) == (2500, 0)


def test_a_detached_card_pays_no_more(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(None, clock)
    card = shop.pays_with(customer, "pm_card_visa")
    subscription = shop.subscribe(customer)

    shop.client.v1.payment_methods.detach(card)
    shop.advance(clock, START + 31 * DAY)

    assert shop.client.v1.payment_methods.list({"customer": customer}).data == []
    assert shop.subscription(subscription.id).status == "past_due"
    with pytest.raises(stripe.InvalidRequestError, match="not attached"):
        shop.client.v1.payment_methods.detach(card)


def test_a_card_of_somebody_else_is_no_default(shop: Shop) -> None:
    other = shop.customer(None)
    card = shop.pays_with(other, "pm_card_visa")
    settings: Any = {"invoice_settings": {"default_payment_method": card}}

    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        shop.client.v1.customers.update(shop.customer(None), settings)
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        shop.client.v1.payment_methods.attach(card, {"customer": shop.customer(None)})


def test_an_endpoint_is_changed_switched_off_and_deleted(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    endpoints = client.v1.webhook_endpoints
    id_ = receiver.subscribe(client, "customer.created")

    endpoints.update(id_, {"enabled_events": ["customer.deleted"], "metadata": {"by": "us"}})
    client.v1.customers.create()
    endpoints.update(id_, {"disabled": True})
    client.v1.customers.delete(client.v1.customers.create().id)
    doubles.await_webhooks()

    assert receiver.received == []
    assert [each.status for each in endpoints.list().data] == ["disabled"]
    endpoints.delete(id_)
    assert endpoints.list().data == []
