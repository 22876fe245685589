"""Changes of a running subscription: prorated, invoiced at once, paid first, or previewed."""

from typing import Any

import pytest
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.shop import DAY, START, Shop

HALF = START + 15 * DAY  # the first period is September's, of 30 days


def item_of(subscription: stripe.Subscription) -> str:
    return str(subscription["items"].data[0].id)


def change(shop: Shop, subscription: stripe.Subscription, price: str, **more: object) -> object:
    items = [{"id": item_of(subscription), "price": price}]
    params: dict[str, object] = {"items": items, "proration_behavior": "always_invoice", **more}
    return shop.client.v1.subscriptions.update(subscription.id, params)  # type: ignore[arg-type]


def test_a_higher_plan_in_the_middle_is_prorated_and_paid_at_once(shop: Shop) -> None:
    clock = shop.clock()
    subscription = shop.subscribe(shop.customer(clock=clock))
    shop.advance(clock, HALF)

    change(shop, subscription, shop.higher)

    newest = shop.invoices(subscription.id)[0]
    assert (newest.billing_reason, newest.status) == ("subscription_update", "paid")
    assert [line.amount for line in newest.lines.data] == [-1450, 4950]
    assert newest.amount_paid == 3500
    now = shop.subscription(subscription.id)
    assert now["items"].data[0].price.id == shop.higher
    assert now["items"].data[0].current_period_end == START + 30 * DAY


def test_a_preview_says_what_the_change_then_costs(shop: Shop) -> None:
    clock = shop.clock()
    subscription = shop.subscribe(shop.customer(clock=clock))
    shop.advance(clock, HALF)
    details = {
        "items": [{"id": item_of(subscription), "price": shop.higher}],
        "proration_behavior": "always_invoice",
        "proration_date": HALF - DAY,
    }
    params: Any = {"subscription": subscription.id, "subscription_details": details}
    preview = shop.client.v1.invoices.create_preview(params)
    assert len(shop.invoices(subscription.id)) == 1

    change(shop, subscription, shop.higher, proration_date=HALF - DAY)

    assert shop.invoices(subscription.id)[0].total == preview.total
    assert preview.total == 3733  # 16 of 30 days of $70 more


def test_from_month_to_year_a_new_period_begins_now(shop: Shop) -> None:
    clock = shop.clock()
    subscription = shop.subscribe(shop.customer(clock=clock))
    shop.advance(clock, HALF)

    change(shop, subscription, shop.yearly)

    now = shop.subscription(subscription.id)
    assert now.billing_cycle_anchor == HALF
    assert now["items"].data[0].current_period_end == HALF + 365 * DAY
    assert shop.invoices(subscription.id)[0].amount_paid == 29000 - 1450


def test_a_yearly_plan_with_monthly_use_needs_the_flexible_mode(shop: Shop) -> None:
    customer = shop.customer()
    with pytest.raises(stripe.InvalidRequestError, match="interval"):
        shop.client.v1.subscriptions.create(
            {
                "customer": customer,
                "items": [{"price": shop.yearly}, {"price": shop.metered}],
                "billing_mode": {"type": "classic"},
            }
        )

    subscription = shop.subscribe(customer, shop.yearly, shop.metered)

    ends = [item.current_period_end for item in subscription["items"].data]
    assert ends[0] - ends[1] > 300 * DAY


def test_without_invoicing_the_proration_waits_for_the_renewal(shop: Shop) -> None:
    clock = shop.clock()
    subscription = shop.subscribe(shop.customer(clock=clock))
    shop.advance(clock, HALF)
    change(shop, subscription, shop.higher, proration_behavior="create_prorations")
    assert len(shop.invoices(subscription.id)) == 1

    shop.advance(clock, START + 30 * DAY + 2 * 3600)

    newest = shop.invoices(subscription.id)[0]
    assert [line.amount for line in newest.lines.data] == [-1450, 4950, 9900]
    assert newest.status == "paid"


def test_a_declined_change_that_must_be_paid_first_stays_pending(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    subscription = shop.subscribe(customer)
    shop.pays_with(customer, "pm_card_chargeCustomerFail")
    shop.advance(clock, HALF)

    change(shop, subscription, shop.higher, payment_behavior="pending_if_incomplete")

    now = shop.subscription(subscription.id)
    assert now.status == "active"
    assert now["items"].data[0].price.id == shop.monthly
    assert now.pending_update is not None
    assert now.pending_update.expires_at == HALF + 23 * 3600
    assert isinstance(now.latest_invoice, str)
    shop.pays_with(customer, "pm_card_visa")
    shop.client.v1.invoices.pay(now.latest_invoice)
    applied = shop.subscription(subscription.id)
    assert applied["items"].data[0].price.id == shop.higher
    assert applied.pending_update is None


def test_a_pending_change_that_nobody_pays_expires(shop: Shop, doubles: Doubles) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    subscription = shop.subscribe(customer)
    shop.pays_with(customer, "pm_card_authenticationRequired")
    change(shop, subscription, shop.higher, payment_behavior="pending_if_incomplete")

    shop.advance(clock, START + 24 * 3600)

    now = shop.subscription(subscription.id)
    assert now.pending_update is None
    assert shop.invoices(subscription.id)[0].status == "void"
    types = [each["type"] for each in doubles.state("stripe")["events"]]
    assert "customer.subscription.pending_update_expired" in types
    assert now.status == "active"


def test_voiding_its_invoice_drops_a_pending_change(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    subscription = shop.subscribe(customer)
    shop.pays_with(customer, "pm_card_chargeCustomerFail")
    change(shop, subscription, shop.higher, payment_behavior="pending_if_incomplete")
    open_invoice = shop.subscription(subscription.id).latest_invoice
    assert isinstance(open_invoice, str)

    shop.client.v1.invoices.void_invoice(open_invoice)

    assert shop.subscription(subscription.id).pending_update is None
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoices.pay(open_invoice)


def test_a_pending_change_takes_only_what_stripe_allows(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer())

    with pytest.raises(stripe.InvalidRequestError, match="metadata") as refused:
        change(
            shop,
            subscription,
            shop.higher,
            payment_behavior="pending_if_incomplete",
            metadata={"a": "b"},
        )

    assert refused.value.param == "metadata"


@pytest.mark.parametrize(
    ("card", "terms", "message"),
    [
        (None, {"collection_method": "send_invoice", "days_until_due": 5}, "charge_automatically"),
        ("pm_usBankAccount", {}, "bank debits"),
    ],
)
def test_there_is_no_pending_change_of_what_is_sent_or_debited(
    card: str | None, terms: dict[str, Any], message: str, shop: Shop
) -> None:
    subscription = shop.subscribe(shop.customer(card), **terms)

    with pytest.raises(stripe.InvalidRequestError, match=message):
        change(shop, subscription, shop.higher, payment_behavior="pending_if_incomplete")


def test_a_declined_change_that_must_not_be_incomplete_changes_nothing(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    shop.pays_with(customer, "pm_card_chargeCustomerFail")

    with pytest.raises(stripe.CardError) as declined:
        change(shop, subscription, shop.higher, payment_behavior="error_if_incomplete")

    assert declined.value.http_status == 402
    assert shop.subscription(subscription.id)["items"].data[0].price.id == shop.monthly
    assert len(shop.invoices(subscription.id)) == 1


def test_a_downgrade_at_once_leaves_a_credit_for_later(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    subscription = shop.subscribe(customer, shop.higher)
    shop.advance(clock, HALF)

    change(shop, subscription, shop.monthly)

    assert shop.invoices(subscription.id)[0].total == -3500
    assert shop.client.v1.customers.retrieve(customer).balance == -3500


def test_an_inactive_price_is_not_sold(shop: Shop) -> None:
    subscription = shop.subscribe(shop.customer())
    shop.client.v1.prices.update(shop.higher, {"active": False})

    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        change(shop, subscription, shop.higher)
