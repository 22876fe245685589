"""The customer portal's page does what its configuration lets it, and no more."""

from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.stripe.shop import Shop

CARD_AND_INVOICES: dict[str, Any] = {
    "customer_update": {"enabled": True, "allowed_updates": ["email", "address"]},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": False},
}


def opened(shop: Shop, customer: str, **features: Any) -> str:
    """The address of a customer's portal."""
    params: Any = {"features": CARD_AND_INVOICES | features}
    configuration = shop.client.v1.billing_portal.configurations.create(params)
    session = shop.client.v1.billing_portal.sessions.create(
        {
            "customer": customer,
            "configuration": configuration.id,
            "return_url": "https://app.example/dashboard",
        }
    )
    return session.url


def updates(*prices: str, product: str) -> dict[str, Any]:
    return {
        "enabled": True,
        "default_allowed_updates": ["price"],
        "products": [{"product": product, "prices": list(prices)}],
        "proration_behavior": "always_invoice",
    }


def test_a_new_card_is_used_from_then_on(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    url = opened(shop, customer)
    assert "https://app.example/dashboard" in httpx.get(url).text

    answer = httpx.post(url, data={"action": "card", "method": "pm_card_mastercard"})

    assert "ending in 4444" in answer.text
    assert "$29.00" in answer.text
    settings = shop.client.v1.customers.retrieve(customer).invoice_settings
    assert settings
    assert isinstance(settings.default_payment_method, str)
    methods = shop.client.v1.payment_methods
    found = methods.retrieve(settings.default_payment_method)
    assert found.card
    assert found.card.brand == "mastercard"
    refused = httpx.post(url, data={"action": "cancel", "subscription": subscription.id})
    assert refused.status_code == 400


@pytest.mark.parametrize(("mode", "boolean"), [("flexible", False), ("classic", True)])
def test_cancelling_sets_a_time_in_flexible_mode_and_the_boolean_in_classic(
    mode: str, boolean: bool, shop: Shop
) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, billing_mode={"type": mode})
    url = opened(shop, customer, subscription_cancel={"enabled": True, "mode": "at_period_end"})

    httpx.post(url, data={"action": "cancel", "subscription": subscription.id})

    asked = shop.subscription(subscription.id)
    assert asked.cancel_at == asked["items"].data[0].current_period_end
    assert (asked.cancel_at_period_end, asked.status) == (boolean, "active")
    httpx.post(url, data={"action": "resume", "subscription": subscription.id})
    assert shop.subscription(subscription.id).cancel_at is None


def test_a_plan_is_changed_where_the_portal_can(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer)
    feature = updates(shop.monthly, shop.higher, product=shop.product)
    url = opened(shop, customer, subscription_update=feature)

    httpx.post(
        url,
        data={"action": "update", "subscription": subscription.id, "price": shop.higher},
    )

    assert shop.subscription(subscription.id)["items"].data[0].price.id == shop.higher


def test_a_plan_with_metered_items_is_not_changed_there(shop: Shop) -> None:
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.monthly, shop.metered)
    feature = updates(shop.monthly, shop.higher, product=shop.product)
    url = opened(shop, customer, subscription_update=feature)
    assert "Change plan" not in httpx.get(url).text

    answer = httpx.post(
        url,
        data={"action": "update", "subscription": subscription.id, "price": shop.higher},
    )

    assert answer.status_code == 400
    assert shop.subscription(subscription.id)["items"].data[0].price.id == shop.monthly


def test_somebody_elses_subscription_is_out_of_reach(shop: Shop) -> None:
    other = shop.subscribe(shop.customer())
    url = opened(shop, shop.customer(), subscription_cancel={"enabled": True})

    answer = httpx.post(url, data={"action": "cancel", "subscription": other.id})

    assert answer.status_code == 400
    assert shop.subscription(other.id).cancel_at is None


def test_without_a_configuration_there_is_no_portal(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="settings"):
        shop.client.v1.billing_portal.sessions.create({"customer": shop.customer()})


def test_a_flow_needs_its_feature(shop: Shop) -> None:
    customer = shop.customer()
    opened(shop, customer)

    with pytest.raises(stripe.InvalidRequestError, match="subscription_cancel"):
        shop.client.v1.billing_portal.sessions.create(
            {"customer": customer, "flow_data": {"type": "subscription_cancel"}}
        )
