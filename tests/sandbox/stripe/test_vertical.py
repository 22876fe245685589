"""From a customer to signed webhooks, as somebody buys a plan on Checkout's page."""

import httpx
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.receiver import Receiver
from tests.sandbox.stripe.shop import Shop

EXPECTED = {
    "customer.created",
    "customer.subscription.created",
    "customer.subscription.updated",
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
    "invoice_payment.paid",
    "payment_intent.succeeded",
    "charge.succeeded",
}


def test_a_plan_is_bought_on_the_page_and_every_webhook_tells_of_it(
    doubles: Doubles, client: stripe.StripeClient, shop: Shop, receiver: Receiver
) -> None:
    receiver.subscribe(client)
    customer = client.v1.customers.create(
        {"email": "ada@example.com", "metadata": {"user_id": "u1"}}
    )
    session = shop.checkout(
        customer=customer.id,
        client_reference_id="u1",
        subscription_data={"metadata": {"user_id": "u1"}, "billing_mode": {"type": "flexible"}},
    )
    assert session.url
    assert "$29.00" in httpx.get(session.url).text

    answer = httpx.post(session.url, data={"action": "pay", "method": "pm_card_visa"})

    # Checkout waits for the answers to its webhooks before it sends one on.
    assert any(b"checkout.session.completed" in body for body, _ in receiver.received)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"https://app.example/dashboard?session_id={session.id}"
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "invoice"]})
    assert (done.status, done.payment_status) == ("complete", "paid")
    assert isinstance(done.subscription, stripe.Subscription)
    assert done.subscription.status == "active"
    assert done.subscription.metadata["user_id"] == "u1"
    assert isinstance(done.invoice, stripe.Invoice)
    assert (done.invoice.status, done.invoice.amount_paid) == ("paid", 2900)
    types = receiver.types(doubles)
    assert types[-1] == "checkout.session.completed"
    assert set(types) >= EXPECTED


def test_leaving_the_page_buys_nothing(client: stripe.StripeClient, shop: Shop) -> None:
    session = shop.checkout()
    assert session.url

    answer = httpx.post(session.url, data={"action": "leave"})

    assert answer.headers["location"] == "https://app.example/pricing"
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
