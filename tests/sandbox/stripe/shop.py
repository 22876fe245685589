"""What is sold in the tests, and to whom; all through the SDK and Stripe's real addresses."""

import time
from functools import cached_property
from typing import Any

import stripe

START = 1_790_000_000  # 2026-09-21, where the test clocks begin
DAY = 86400


class Shop:
    """A plan by month and by year, a higher one, and something that is paid by use."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client

    @cached_property
    def product(self) -> str:
        return self.client.v1.products.create({"name": "Pro", "metadata": {"plan": "pro"}}).id

    def price(self, cents: int, interval: Any = "month", **more: Any) -> str:
        params: Any = {
            "product": self.product,
            "currency": "usd",
            "unit_amount": cents,
            "recurring": {"interval": interval},
            **more,
        }
        return self.client.v1.prices.create(params).id

    @cached_property
    def monthly(self) -> str:
        return self.price(2900)

    @cached_property
    def yearly(self) -> str:
        return self.price(29000, "year")

    @cached_property
    def higher(self) -> str:
        return self.price(9900)

    @cached_property
    def meter(self) -> stripe.billing.Meter:
        return self.client.v1.billing.meters.create(
            {
                "display_name": "Trainings",
                "event_name": "trainings",
                "default_aggregation": {"formula": "sum"},
                "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
                "value_settings": {"event_payload_key": "value"},
            }
        )

    @cached_property
    def metered(self) -> str:
        recurring = {"interval": "month", "usage_type": "metered", "meter": self.meter.id}
        return self.price(50, recurring=recurring)

    def clock(self, at: int = START) -> str:
        return self.client.v1.test_helpers.test_clocks.create({"frozen_time": at}).id

    def advance(self, clock: str, to: int) -> None:
        """Move a test clock, as far as Stripe lets it at once, and wait until it is there."""
        clocks = self.client.v1.test_helpers.test_clocks
        clocks.advance(clock, {"frozen_time": to})
        # The double is there at once; Stripe takes seconds.
        while clocks.retrieve(clock).status == "advancing":
            time.sleep(1)

    def customer(self, card: str | None = "pm_card_visa", clock: str | None = None) -> str:
        """A customer who pays with a test card."""
        params: dict[str, Any] = {"email": "ada@example.com"}
        if clock is not None:
            params["test_clock"] = clock
        customer = self.client.v1.customers.create(params).id  # type: ignore[arg-type]
        if card is not None:
            self.pays_with(customer, card)
        return customer

    def pays_with(self, customer: str, card: str) -> str:
        """Let a card be the customer's default one."""
        method = self.client.v1.payment_methods.attach(card, {"customer": customer}).id
        settings: Any = {"invoice_settings": {"default_payment_method": method}}
        self.client.v1.customers.update(customer, settings)
        return method

    def subscribe(self, customer: str, *prices: str, **more: Any) -> stripe.Subscription:
        items = [{"price": price} for price in prices or (self.monthly,)]
        params: Any = {"customer": customer, "items": items, **more}
        return self.client.v1.subscriptions.create(params)

    def subscription(self, id_: str, *expand: str) -> stripe.Subscription:
        return self.client.v1.subscriptions.retrieve(id_, {"expand": list(expand)})

    def invoices(self, subscription: str) -> list[stripe.Invoice]:
        """The invoices of a subscription, newest first."""
        return self.client.v1.invoices.list({"subscription": subscription, "limit": 100}).data

    def checkout(self, *prices: str, **more: Any) -> stripe.checkout.Session:
        items = [{"price": price, "quantity": 1} for price in prices or (self.monthly,)]
        params: Any = {
            "mode": "subscription",
            "line_items": items,
            "success_url": "https://app.example/dashboard?session_id={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://app.example/pricing",
            **more,
        }
        return self.client.v1.checkout.sessions.create(params)
