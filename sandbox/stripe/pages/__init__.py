"""Stripe's own pages: Checkout, the portal, a hosted invoice, a bank's question."""

from sandbox.stripe.pages import checkout

ROUTES = [*checkout.ROUTES]
