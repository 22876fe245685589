"""The page on which a bank asks its customer to authenticate a payment."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.stripe.billing.collecting import attempt
from sandbox.stripe.pages.rendering import account_of, form_of, page


async def show(request: Request) -> Response:
    """GET the question."""
    account = account_of(request)
    intent = account.of("payment_intent").get(request.path_params["id"])
    if intent is None:
        return page("missing.html", "Not found", 404)
    return page("authentication.html", "Authenticate", intent=intent)


async def act(request: Request) -> Response:
    """POST the answer: `complete`, or `fail`, after which the bill stays open."""
    account, form = account_of(request), await form_of(request)
    intent = account.of("payment_intent").get(request.path_params["id"])
    if intent is None:
        return page("missing.html", "Not found", 404)
    invoice = account.of("invoice").get(intent.get("_invoice", ""))
    waits = intent["status"] == "requires_action" and invoice and invoice["status"] == "open"
    if form.get("action") == "complete" and waits and invoice is not None:
        method = account.get("payment_method", intent["payment_method"])
        attempt(account, invoice, method, present=True)
    elif waits:
        intent |= {"status": "requires_payment_method", "next_action": None}
        account.emit("payment_intent.payment_failed", intent)
    return page("authentication.html", "Authenticate", intent=intent)


ROUTES = [
    Route("/stripe/authenticate/{id}", show, methods=["GET"]),
    Route("/stripe/authenticate/{id}", act, methods=["POST"]),
]
