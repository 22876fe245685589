"""Checkout's page: what one can do there, and what comes of it."""

from typing import Any

import httpx
import pytest
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.shop import DAY, Shop


def pay(
    session: stripe.checkout.Session, method: str = "pm_card_visa", **more: str
) -> httpx.Response:
    assert session.url
    return httpx.post(session.url, data={"action": "pay", "method": method, **more})


def again(shop: Shop, session: stripe.checkout.Session) -> stripe.checkout.Session:
    return shop.client.v1.checkout.sessions.retrieve(session.id)


def event_types(doubles: Doubles) -> list[str]:
    return [each["type"] for each in doubles.state("stripe")["events"]]


@pytest.mark.parametrize("card", ["pm_card_visa_chargeDeclined", "pm_card_chargeCustomerFail"])
def test_a_declined_card_leaves_the_session_open(card: str, shop: Shop) -> None:
    session = shop.checkout()

    answer = pay(session, card)

    assert answer.status_code == 402
    assert "declined" in answer.text
    assert again(shop, session).status == "open"
    assert pay(session).status_code == 303


@pytest.mark.parametrize(
    ("method", "event", "status"),
    [
        ("pm_usBankAccount", "checkout.session.async_payment_succeeded", "paid"),
        ("pm_usBankAccount_failure", "checkout.session.async_payment_failed", "unpaid"),
    ],
)
def test_a_bank_debit_completes_now_and_pays_later(
    method: str, event: str, status: str, shop: Shop, doubles: Doubles
) -> None:
    session = shop.checkout()
    pay(session, method)
    assert (again(shop, session).status, again(shop, session).payment_status) == (
        "complete",
        "unpaid",
    )

    doubles.advance_clock(hours=5 * 24)

    assert again(shop, session).payment_status == status
    assert event_types(doubles).count(event) == 1


def test_a_bank_debit_may_be_decided_at_once(shop: Shop, doubles: Doubles) -> None:
    session = shop.checkout(shop.price(1000, recurring=None), mode="payment")
    pay(session, "pm_usBankAccount")
    intent = again(shop, session).payment_intent
    assert isinstance(intent, str)

    doubles.decide_debit(intent, came=True)

    assert again(shop, session).payment_status == "paid"


def test_a_trial_is_started_without_paying(shop: Shop) -> None:
    session = shop.checkout(subscription_data={"trial_period_days": 14})

    pay(session)

    done = again(shop, session)
    assert (done.payment_status, done.amount_total) == ("no_payment_required", 0)
    assert isinstance(done.subscription, str)
    assert shop.subscription(done.subscription).status == "trialing"


def test_a_code_for_everything_needs_no_card_where_that_is_allowed(shop: Shop) -> None:
    coupon = shop.client.v1.coupons.create({"percent_off": 100, "duration": "forever"})
    promotion: Any = {"type": "coupon", "coupon": coupon.id}
    shop.client.v1.promotion_codes.create({"promotion": promotion, "code": "FREE"})
    session = shop.checkout(allow_promotion_codes=True, payment_method_collection="if_required")
    assert session.url

    wrong = httpx.post(session.url, data={"action": "pay", "code": "NOPE"})
    right = httpx.post(session.url, data={"action": "pay", "code": "free"})

    assert "invalid" in wrong.text
    assert right.status_code == 303
    done = again(shop, session)
    assert (done.payment_status, done.amount_total) == ("no_payment_required", 0)
    assert isinstance(done.subscription, str)
    subscription = shop.subscription(done.subscription)
    assert (subscription.status, subscription.default_payment_method) == ("active", None)


def test_a_pack_is_paid_once_and_makes_no_customer(shop: Shop, doubles: Doubles) -> None:
    pack = shop.price(2500, recurring=None)
    data = {"metadata": {"pack": "credits_25"}}
    session = shop.checkout(pack, mode="payment", payment_intent_data=data)

    pay(session)

    done = again(shop, session)
    assert (done.payment_status, done.customer, done.subscription) == ("paid", None, None)
    assert isinstance(done.payment_intent, str)
    intent = shop.client.v1.payment_intents.retrieve(done.payment_intent)
    assert (intent.amount_received, intent.metadata["pack"]) == (2500, "credits_25")
    found = shop.client.v1.checkout.sessions.list({"payment_intent": intent.id})
    assert [each.id for each in found.data] == [session.id]


def test_a_session_expires_by_itself_or_by_hand(shop: Shop, doubles: Doubles) -> None:
    first, second, paid = shop.checkout(), shop.checkout(), shop.checkout()
    pay(paid)

    shop.client.v1.checkout.sessions.expire(first.id)
    doubles.advance_clock(hours=25)

    assert [again(shop, each).status for each in (first, second, paid)] == [
        "expired",
        "expired",
        "complete",
    ]
    assert event_types(doubles).count("checkout.session.expired") == 2
    assert "expired" in httpx.get(str(first.url)).text
    with pytest.raises(stripe.InvalidRequestError, match="open"):
        shop.client.v1.checkout.sessions.expire(paid.id)


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"success_url": None}, "success_url"),
        ({"customer": "cus_x", "customer_email": "a@b.co"}, "customer"),
        ({"mode": "payment"}, "line_items"),
        ({"payment_intent_data": {"description": "x"}}, "payment_intent_data"),
        ({"expires_at": 1}, "expires_at"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"allow_promotion_codes": True, "discounts": [{"coupon": "x"}]}, "allow_promotion_codes"),
        ({"tax_id_collection": {"enabled": True}, "customer": "made"}, "customer_update"),
    ],
)
def test_what_does_not_go_together_is_refused(
    params: dict[str, Any], name: str, shop: Shop
) -> None:
    if params.get("customer") == "made":
        params = params | {"customer": shop.customer(None)}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.checkout(**params)

    assert refused.value.param == name


def test_metered_items_have_no_quantity(shop: Shop) -> None:
    items = [{"price": shop.monthly, "quantity": 1}, {"price": shop.metered}]
    session = shop.checkout(line_items=items)

    pay(session)

    done = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]})
    assert done.line_items
    assert [each.quantity for each in done.line_items.data] == [1, None]
    assert isinstance(done.subscription, str)
    assert len(shop.subscription(done.subscription)["items"].data) == 2
    with pytest.raises(stripe.InvalidRequestError, match="Quantity"):
        shop.checkout(shop.metered)


def test_a_promotion_code_for_first_orders_is_not_for_others(shop: Shop) -> None:
    coupon = shop.client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    promotion: Any = {"type": "coupon", "coupon": coupon.id}
    first: Any = {"first_time_transaction": True}
    code = shop.client.v1.promotion_codes.create({"promotion": promotion, "restrictions": first})
    customer = shop.customer()
    discounts = [{"promotion_code": code.id}]
    assert shop.checkout(customer=customer, discounts=discounts).amount_total == 1450
    shop.subscribe(customer)

    with pytest.raises(stripe.InvalidRequestError, match="prior transactions"):
        shop.checkout(customer=customer, discounts=discounts)


def test_a_coupon_for_once_takes_from_the_first_invoice_alone(shop: Shop) -> None:
    coupon = shop.client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    clock = shop.clock()
    subscription = shop.subscribe(shop.customer(clock=clock), discounts=[{"coupon": coupon.id}])

    shop.advance(clock, subscription["items"].data[0].current_period_end + DAY)

    assert [each.total for each in shop.invoices(subscription.id)] == [2900, 1450]
