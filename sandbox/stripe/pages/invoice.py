"""The hosted page of an invoice, on which it can be paid."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.stripe.account import Account
from sandbox.stripe.billing.collecting import attempt
from sandbox.stripe.deliveries import until_quiet
from sandbox.stripe.errors import StripeError
from sandbox.stripe.objects import Object
from sandbox.stripe.pages.rendering import METHODS, account_of, form_of, page
from sandbox.stripe.resources.payment_methods import attach

QUIET_WITHIN = 10.0  # seconds that the page waits for the answers to webhooks


async def show(request: Request) -> Response:
    """GET the invoice."""
    account = account_of(request)
    invoice = account.of("invoice").get(request.path_params["id"])
    if invoice is None or invoice["status"] == "draft":
        return page("missing.html", "Not found", 404)
    return render(invoice)


def render(invoice: Object, error: str | None = None) -> Response:
    status = 402 if error else 200
    return page("invoice.html", "Invoice", status, invoice=invoice, methods=METHODS, error=error)


async def pay(request: Request) -> Response:
    """POST a payment method."""
    account, form = account_of(request), await form_of(request)
    invoice = account.of("invoice").get(request.path_params["id"])
    if invoice is None:
        return page("missing.html", "Not found", 404)
    error = None
    if invoice["status"] == "open":
        error = settle(account, invoice, form.get("method", "pm_card_visa"))
    await until_quiet(account.deliveries, QUIET_WITHIN)
    return render(invoice, error)


def settle(account: Account, invoice: Object, token: str) -> str | None:
    """Pay an invoice; what is wrong, where something is."""
    try:
        customer = account.live("customer", invoice["customer"])
        method = attach(account, token, customer)
    except StripeError as refused:
        return str(refused)
    outcome = attempt(account, invoice, method, present=True)
    return "Your card was declined." if outcome == "declined" else None


ROUTES = [
    Route("/stripe/invoice/{id}", show, methods=["GET"]),
    Route("/stripe/invoice/{id}", pay, methods=["POST"]),
]
