"""Stripe's own pages: Checkout, the portal, a hosted invoice, a bank's question."""

from sandbox.stripe.pages import authentication, checkout, invoice, portal

ROUTES = [*checkout.ROUTES, *portal.ROUTES, *invoice.ROUTES, *authentication.ROUTES]
