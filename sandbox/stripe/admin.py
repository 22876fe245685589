"""The part of the admin API that is Stripe's alone; `sandbox.client` is its client."""

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.providers import providers_of
from sandbox.stripe.billing.disputing import open_dispute
from sandbox.stripe.checkout.paying import pay
from sandbox.stripe.deliveries import until_quiet
from sandbox.stripe.errors import StripeError
from sandbox.stripe.objects import public

QUIET_WITHIN = 60.0  # seconds for all that is due to be sent


async def switches(request: Request) -> Response:
    """GET the switches, or PUT some of them; the others stay."""
    account = providers_of(request).stripe
    if request.method == "PUT":
        try:
            merged = account.switches.model_dump() | await request.json()
            account.behave(type(account.switches).model_validate(merged))
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, 422)
    return JSONResponse(account.switches.model_dump(mode="json"))


async def settled(request: Request) -> Response:
    """POST: answer once every webhook that is due was sent and answered."""
    if not await until_quiet(providers_of(request).stripe.deliveries, QUIET_WITHIN):
        return JSONResponse({"error": "Webhooks are still being sent."}, 504)
    return JSONResponse({})


async def pay_session(request: Request) -> Response:
    """POST `{"method", "email"}`: pay a Checkout session as on its page."""
    account, body = providers_of(request).stripe, await request.json()
    account.base_url = f"{request.base_url}stripe"
    try:
        session = account.get("checkout.session", request.path_params["id"])
        pay(account, session, body.get("method"), body.get("email"))
    except StripeError as error:
        return error.response
    return JSONResponse(public(session))


async def decide_debit(request: Request) -> Response:
    """POST `{"came": bool}`: a bank debit came, or did not."""
    account = providers_of(request).stripe
    intent = account.get("payment_intent", request.path_params["id"])
    account.timers.cancel("debit", intent["id"])
    intent["_decide"](bool((await request.json())["came"]))
    return JSONResponse(public(intent))


async def dispute(request: Request) -> Response:
    """POST `{"charge", "reason", "amount"}`: a customer disputes a charge."""
    account, body = providers_of(request).stripe, await request.json()
    try:
        charge = account.get("charge", body["charge"])
        made = open_dispute(account, charge, body["reason"], body.get("amount"))
    except StripeError as error:
        return error.response
    return JSONResponse(public(made))


ROUTES = [
    Route("/sandbox/stripe/switches", switches, methods=["GET", "PUT"]),
    Route("/sandbox/stripe/settled", settled, methods=["POST"]),
    Route("/sandbox/stripe/checkout/{id}/pay", pay_session, methods=["POST"]),
    Route("/sandbox/stripe/debits/{id}", decide_debit, methods=["POST"]),
    Route("/sandbox/stripe/disputes", dispute, methods=["POST"]),
]
