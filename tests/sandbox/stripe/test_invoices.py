"""Invoices: previewed, filled by hand, made by hand."""

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.shop import DAY, START, Shop


def test_the_next_invoice_is_previewed_with_what_waits_for_it(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    subscription = shop.subscribe(customer)
    item: Any = {"customer": customer, "amount": 500, "currency": "usd", "description": "Setup"}
    waiting = shop.client.v1.invoice_items.create(item).id

    before = shop.subscription(subscription.id).to_dict()
    preview = shop.client.v1.invoices.create_preview({"subscription": subscription.id})
    new = shop.client.v1.invoices.create_preview(
        {"customer": customer, "subscription_details": {"items": [{"price": shop.higher}]}}
    )
    assert shop.subscription(subscription.id).to_dict() == before
    shop.client.v1.invoice_items.delete(waiting)
    update: Any = {"cancel_at_period_end": True}
    shop.client.v1.subscriptions.update(subscription.id, update)

    assert preview.total == 2900 + 500
    assert preview.id.startswith("upcoming_")
    assert new.total == 9900
    assert len(shop.invoices(subscription.id)) == 1
    with pytest.raises(stripe.InvalidRequestError) as nothing:
        shop.client.v1.invoices.create_preview({"subscription": subscription.id})
    assert nothing.value.code == "invoice_upcoming_none"


def test_invoice_items_come_with_the_next_renewal(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.customer(clock=clock)
    subscription = shop.subscribe(customer)
    item: Any = {"customer": customer, "amount": 500, "currency": "usd"}
    shop.client.v1.invoice_items.create(item)

    shop.advance(clock, START + 31 * DAY)

    assert shop.invoices(subscription.id)[0].amount_paid == 3400
    assert shop.client.v1.invoice_items.list({"customer": customer, "pending": True}).data == []


def test_an_invoice_is_made_finalised_and_paid_by_hand(shop: Shop) -> None:
    customer = shop.customer()
    invoices = shop.client.v1.invoices
    item: Any = {"customer": customer, "amount": 700, "currency": "usd"}
    shop.client.v1.invoice_items.create(item)

    made = invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})
    opened = invoices.finalize_invoice(made.id)
    paid = invoices.pay(made.id)

    assert (made.status, made.billing_reason, made.total) == ("draft", "manual", 700)
    assert (opened.status, opened.number is not None) == ("open", True)
    assert (paid.status, paid.amount_paid) == ("paid", 700)
    with pytest.raises(stripe.InvalidRequestError, match="void"):
        invoices.void_invoice(made.id)
