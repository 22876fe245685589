"""The page of a Checkout session: pay, fail, pay later, pay nothing, or leave."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.stripe.account import Account
from sandbox.stripe.billing.discounts import chosen
from sandbox.stripe.checkout.paying import needs_method, pay
from sandbox.stripe.checkout.totals import line_items, set_totals
from sandbox.stripe.deliveries import until_quiet
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.objects import Object
from sandbox.stripe.pages.rendering import METHODS, account_of, form_of, page, redirect

QUIET_WITHIN = 10.0  # seconds that Checkout waits for the answers to its webhooks


async def show(request: Request) -> Response:
    """GET the page."""
    account = account_of(request)
    session = account.of("checkout.session").get(request.path_params["id"])
    if session is None:
        return page("missing.html", "Not found", 404)
    return render(account, session)


def render(
    account: Account, session: Object, error: str | None = None, method: str | None = None
) -> Response:
    return page(
        "checkout.html",
        "Checkout",
        402 if error else 200,
        session=session,
        items=line_items(account, session)["data"],
        needs_method=needs_method(session),
        methods=METHODS,
        chosen=method,
        error=error,
    )


async def act(request: Request) -> Response:
    """POST what was chosen; who paid is sent on once our webhooks were answered."""
    account, form = account_of(request), await form_of(request)
    session = account.of("checkout.session").get(request.path_params["id"])
    if session is None:
        return page("missing.html", "Not found", 404)
    if form.get("action") == "leave":
        return redirect(session["cancel_url"])
    method = form.get("method")
    try:
        if form.get("code"):
            redeem(account, session, form["code"])
        pay(account, session, method if needs_method(session) else None, form.get("email"))
    except StripeError as error:
        return render(account, session, str(error), method)
    await until_quiet(account.deliveries, QUIET_WITHIN)
    return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))


def redeem(account: Account, session: Object, text: str) -> None:
    """Apply the promotion code that was typed. Raises StripeError 400."""
    found = [
        each
        for each in account.of("promotion_code").values()
        if each["code"].lower() == text.strip().lower()
    ]
    if not found or not session["allow_promotion_codes"]:
        raise invalid("This code is invalid.")
    customer = account.of("customer").get(session["customer"])
    chosen(account, [{"promotion_code": found[0]["id"]}], customer)
    session["discounts"] = [{"coupon": None, "promotion_code": found[0]["id"]}]
    set_totals(account, session)


ROUTES = [
    Route("/stripe/checkout/{id}", show, methods=["GET"]),
    Route("/stripe/checkout/{id}", act, methods=["POST"]),
]
