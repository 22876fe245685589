"""Renewals that are paid, that fail, and what becomes of a subscription then."""

import httpx
import pytest
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.shop import DAY, START, Shop

HOUR = 3600
RENEWAL = START + 30 * DAY
FAILED = RENEWAL + HOUR  # when the draft is finalised and charged


def renewing(shop: Shop, card: str = "pm_card_visa") -> tuple[str, str, stripe.Subscription]:
    """A clock, a customer and a subscription whose renewals are paid with a card."""
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    subscription = shop.subscribe(customer)
    if card != "pm_card_visa":
        shop.pays_with(customer, card)
    return clock, customer, subscription


def test_a_renewal_is_a_draft_for_an_hour_and_then_paid(shop: Shop) -> None:
    clock, _, subscription = renewing(shop)

    shop.advance(clock, RENEWAL + HOUR // 2)
    draft = shop.invoices(subscription.id)[0]
    shop.advance(clock, FAILED)

    assert (draft.status, draft.billing_reason) == ("draft", "subscription_cycle")
    assert draft.automatically_finalizes_at == FAILED
    assert shop.invoices(subscription.id)[0].status == "paid"
    item = shop.subscription(subscription.id)["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (RENEWAL, RENEWAL + 31 * DAY)


def test_a_renewal_that_fails_is_tried_for_two_weeks(shop: Shop) -> None:
    clock, _, subscription = renewing(shop, "pm_card_chargeCustomerFail")

    shop.advance(clock, FAILED)

    invoice = shop.invoices(subscription.id)[0]
    assert shop.subscription(subscription.id).status == "past_due"
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    assert invoice.next_payment_attempt == FAILED + 3 * DAY
    shop.advance(clock, FAILED + 14 * DAY - 1)
    assert shop.subscription(subscription.id).status == "past_due"
    shop.advance(clock, FAILED + 14 * DAY)
    assert shop.invoices(subscription.id)[0].attempt_count == 5


@pytest.mark.parametrize(
    ("after", "status"), [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")]
)
def test_after_all_retries_the_account_decides(
    after: str, status: str, shop: Shop, doubles: Doubles
) -> None:
    doubles.set_stripe(after_dunning=after)
    clock, _, subscription = renewing(shop, "pm_card_chargeCustomerFail")

    shop.advance(clock, FAILED + 15 * DAY)

    now = shop.subscription(subscription.id)
    assert now.status == status
    assert shop.invoices(subscription.id)[0].status == "open"
    if status == "canceled":
        assert now.cancellation_details
        assert now.cancellation_details.reason == "payment_failed"


def test_an_unpaid_subscription_makes_drafts_alone(shop: Shop, doubles: Doubles) -> None:
    doubles.set_stripe(after_dunning="unpaid")
    clock, _, subscription = renewing(shop, "pm_card_chargeCustomerFail")
    shop.advance(clock, FAILED + 15 * DAY)

    shop.advance(clock, RENEWAL + 31 * DAY + 2 * HOUR)

    newest = shop.invoices(subscription.id)[0]
    assert (newest.status, newest.auto_advance) == ("draft", False)
    assert shop.subscription(subscription.id).status == "unpaid"


def test_a_new_card_pays_the_open_invoice_and_all_is_well(shop: Shop) -> None:
    clock, customer, subscription = renewing(shop, "pm_card_chargeCustomerFail")
    shop.advance(clock, FAILED)
    shop.pays_with(customer, "pm_card_visa")

    shop.advance(clock, FAILED + 3 * DAY)

    assert shop.subscription(subscription.id).status == "active"
    assert shop.invoices(subscription.id)[0].status == "paid"


def test_an_open_invoice_is_paid_on_its_page(shop: Shop) -> None:
    clock, _, subscription = renewing(shop, "pm_card_chargeCustomerFail")
    shop.advance(clock, FAILED)
    url = shop.invoices(subscription.id)[0].hosted_invoice_url
    assert url

    refused = httpx.post(url, data={"method": "pm_card_visa_chargeDeclined"})
    paid = httpx.post(url, data={"method": "pm_card_visa"})

    assert (refused.status_code, paid.status_code) == (402, 200)
    assert "declined" in refused.text
    assert shop.subscription(subscription.id).status == "active"


def test_a_payment_that_asks_for_its_customer_is_authenticated_on_a_page(
    shop: Shop, doubles: Doubles
) -> None:
    clock, _, subscription = renewing(shop, "pm_card_authenticationRequired")
    shop.advance(clock, FAILED)
    invoice = shop.client.v1.invoices.retrieve(
        shop.invoices(subscription.id)[0].id, {"expand": ["payments.data.payment.payment_intent"]}
    )
    assert invoice.payments
    intent = invoice.payments.data[0].payment.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert intent.next_action
    assert intent.next_action.redirect_to_url
    assert intent.next_action.redirect_to_url.url
    types = [each["type"] for each in doubles.state("stripe")["events"]]
    assert "invoice.payment_action_required" in types

    httpx.post(intent.next_action.redirect_to_url.url, data={"action": "complete"})

    assert shop.invoices(subscription.id)[0].status == "paid"
    assert shop.subscription(subscription.id).status == "active"


def test_a_first_payment_that_never_comes_expires_after_23_hours(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer("pm_card_chargeCustomerFail", clock)

    subscription = shop.subscribe(customer)

    assert subscription.status == "incomplete"
    assert shop.invoices(subscription.id)[0].next_payment_attempt is None
    shop.advance(clock, START + 23 * HOUR - 1)
    assert shop.subscription(subscription.id).status == "incomplete"
    shop.advance(clock, START + 23 * HOUR)
    assert shop.subscription(subscription.id).status == "incomplete_expired"
    assert shop.invoices(subscription.id)[0].status == "void"


def test_a_first_payment_that_comes_late_activates(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer("pm_card_chargeCustomerFail", clock)
    subscription = shop.subscribe(customer)
    shop.pays_with(customer, "pm_card_visa")

    shop.client.v1.invoices.pay(shop.invoices(subscription.id)[0].id)

    assert shop.subscription(subscription.id).status == "active"
    shop.advance(clock, FAILED)
    assert shop.invoices(subscription.id)[0].billing_reason == "subscription_cycle"


def test_an_invoice_paid_elsewhere_has_no_charge(shop: Shop, doubles: Doubles) -> None:
    clock, _, subscription = renewing(shop, "pm_card_chargeCustomerFail")
    shop.advance(clock, FAILED)

    invoice = shop.invoices(subscription.id)[0].id
    shop.client.v1.invoices.pay(invoice, {"paid_out_of_band": True})

    types = [each["type"] for each in doubles.state("stripe")["events"]]
    assert types[types.index("invoice.payment_failed") :].count("invoice.paid") == 1
    assert types[types.index("invoice.payment_failed") :].count("invoice.payment_succeeded") == 0
    assert shop.subscription(subscription.id).status == "active"


def test_too_small_an_invoice_is_paid_without_a_payment(shop: Shop) -> None:
    customer = shop.customer()

    subscription = shop.subscribe(customer, shop.price(20))

    invoice = shop.invoices(subscription.id)[0]
    assert (invoice.status, invoice.amount_due, invoice.ending_balance) == ("paid", 0, 20)
    assert shop.client.v1.customers.retrieve(customer).balance == 20


def test_a_sent_invoice_is_overdue_after_its_term(shop: Shop, doubles: Doubles) -> None:
    clock = shop.clock()
    terms = {"collection_method": "send_invoice", "days_until_due": 30}
    subscription = shop.subscribe(shop.customer(None, clock), **terms)
    assert subscription.status == "active"

    shop.advance(clock, START + HOUR + 30 * DAY)

    types = [each["type"] for each in doubles.state("stripe")["events"]]
    assert types.count("invoice.overdue") == 1
    assert "invoice.payment_failed" not in types
    assert shop.subscription(subscription.id).status == "past_due"
