"""Webhooks and answers in the shapes of older versions."""

from typing import Any

import pytest
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.receiver import Receiver
from tests.sandbox.stripe.shop import Shop

OLD, BASIL = "2020-08-27", "2025-04-30.basil"
Payloads = dict[str, dict[str, Any]]


def bought(
    shop: Shop, receiver: Receiver, doubles: Doubles, version: str, *, switch: bool = False
) -> Payloads:
    """The last object of each type of event, as somebody buys a plan."""
    receiver.subscribe(shop.client, version=None if switch else version)
    if switch:
        doubles.set_stripe(payload_version=version)
    shop.subscribe(shop.customer())
    events = receiver.events(doubles)
    assert {each["api_version"] for each in events} == {version}
    return {each["type"]: each["data"]["object"] for each in events}


@pytest.mark.parametrize("switch", [False, True])
def test_in_2020_periods_and_links_stood_elsewhere(
    switch: bool, shop: Shop, receiver: Receiver, doubles: Doubles
) -> None:
    found = bought(shop, receiver, doubles, OLD, switch=switch)

    subscription = found["customer.subscription.created"]
    item = subscription["items"]["data"][0]
    assert subscription["current_period_end"] > subscription["current_period_start"]
    assert "current_period_end" not in item
    assert "billing_mode" not in subscription
    assert (subscription["plan"]["id"], subscription["quantity"]) == (item["price"]["id"], 1)
    invoice = found["invoice.paid"]
    assert invoice["subscription"] == subscription["id"]
    assert invoice["charge"] == found["charge.succeeded"]["id"]
    assert invoice["payment_intent"] == found["payment_intent.succeeded"]["id"]
    assert (invoice["paid"], "parent" in invoice) == (True, False)
    line = invoice["lines"]["data"][0]
    assert line["price"]["id"] == item["price"]["id"]
    assert (line["type"], line["subscription"]) == ("subscription", subscription["id"])
    assert found["charge.succeeded"]["invoice"] == invoice["id"]


def test_basil_has_periods_on_items_and_no_billing_mode(
    shop: Shop, receiver: Receiver, doubles: Doubles
) -> None:
    found = bought(shop, receiver, doubles, BASIL)

    subscription = found["customer.subscription.created"]
    assert "current_period_end" not in subscription
    assert subscription["items"]["data"][0]["current_period_end"]
    assert "billing_mode" not in subscription
    details = found["invoice.paid"]["parent"]["subscription_details"]
    assert details["subscription"] == subscription["id"]


def test_an_answer_has_the_version_that_was_asked_for(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer())

    old = shop.client.v1.subscriptions.retrieve(subscription.id, {}, {"stripe_version": OLD})

    assert old["current_period_end"] == subscription["items"].data[0].current_period_end
    assert old.last_response
    assert old.last_response.headers["stripe-version"] == OLD


def test_what_changed_is_told_in_the_old_shape_too(
    shop: Shop, receiver: Receiver, doubles: Doubles
) -> None:
    clock = shop.clock()
    subscription = shop.subscribe(shop.customer(clock=clock))
    receiver.subscribe(shop.client, "customer.subscription.updated", version=OLD)
    end = subscription["items"].data[0].current_period_end

    shop.advance(clock, end)

    previous = receiver.events(doubles)[0]["data"]["previous_attributes"]
    assert previous["current_period_end"] == end


def test_a_promotion_code_named_its_coupon_itself(client: stripe.StripeClient) -> None:
    coupon = client.v1.coupons.create({"percent_off": 10, "duration": "once"})
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})

    old = client.v1.promotion_codes.retrieve(code.id, {}, {"stripe_version": OLD})

    assert old["coupon"] == coupon.id
