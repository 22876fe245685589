"""The customer portal: card, invoices, and what its configuration lets one do to a plan."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.stripe.account import Account
from sandbox.stripe.billing.cancelling import cancel_now, plan_end
from sandbox.stripe.billing.renewing import set_timers
from sandbox.stripe.billing.settling import UPDATED
from sandbox.stripe.billing.updating import update_items
from sandbox.stripe.deliveries import until_quiet
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.objects import Object
from sandbox.stripe.pages.rendering import METHODS, account_of, form_of, page
from sandbox.stripe.resources.payment_methods import attach
from sandbox.stripe.resources.portal import CONFIGURATION

VALID_FOR = 300  # seconds until a session that nobody opened is over
QUIET_WITHIN = 10.0  # seconds that the page waits for the answers to webhooks


def session_of(account: Account, id_: str) -> tuple[Object, Object, Object] | None:
    """The session, its customer and its features, while it is valid."""
    session = account.of("billing_portal.session").get(id_)
    if session is None:
        return None
    customer = account.of("customer")[session["customer"]]
    expired = account.real_now() > session["created"] + VALID_FOR and "_opened" not in session
    if expired or customer.get("deleted"):
        return None
    session["_opened"] = True
    return session, customer, account.get(CONFIGURATION, session["configuration"])["features"]


async def show(request: Request) -> Response:
    """GET the portal."""
    account = account_of(request)
    found = session_of(account, request.path_params["id"])
    if found is None:
        return page("missing.html", "Not found", 404)
    return render(account, *found)


def render(
    account: Account, session: Object, customer: Object, features: Object, error: str | None = None
) -> Response:
    settings = customer["invoice_settings"]
    running = [
        each
        for each in account.of("subscription").values()
        if each["customer"] == customer["id"] and each["ended_at"] is None
    ]
    return page(
        "portal.html",
        "Billing",
        400 if error else 200,
        session=session,
        features=features,
        card=account.of("payment_method").get(settings["default_payment_method"] or ""),
        subscriptions=[(each, options(account, each, features)) for each in running],
        products=account.of("product"),
        invoices=[
            each
            for each in list(account.of("invoice").values())[::-1]
            if each["customer"] == customer["id"] and each["status"] != "draft"
        ],
        methods=METHODS,
        error=error,
    )


def options(account: Account, subscription: Object, features: Object) -> list[Object]:
    """The prices that the portal offers instead of the present one.

    None for several products, metered items, invoices that are sent, or a schedule
    (https://docs.stripe.com/customer-management/portal-deep-links).
    """
    items = subscription["items"]["data"]
    update = features["subscription_update"]
    usable = update["enabled"] and "price" in update["default_allowed_updates"]
    simple = len(items) == 1 and items[0]["price"]["recurring"]["usage_type"] == "licensed"
    charged = subscription["collection_method"] == "charge_automatically"
    if not (usable and simple and charged) or subscription["schedule"] is not None:
        return []
    ids = [id_ for each in update["products"] or [] for id_ in each["prices"]]
    return [account.get("price", id_) for id_ in ids if id_ != items[0]["price"]["id"]]


async def act(request: Request) -> Response:
    """POST what was chosen."""
    account, form = account_of(request), await form_of(request)
    found = session_of(account, request.path_params["id"])
    if found is None:
        return page("missing.html", "Not found", 404)
    session, customer, features = found
    error = None
    try:
        if form.get("action") == "card":
            change_card(account, customer, features, form.get("method", ""))
        else:
            subscription = account.get("subscription", form.get("subscription", ""))
            change_plan(account, customer, features, subscription, form)
    except StripeError as refused:
        error = str(refused)
    await until_quiet(account.deliveries, QUIET_WITHIN)
    return render(account, session, customer, features, error)


def change_card(account: Account, customer: Object, features: Object, token: str) -> None:
    """A new default card, for the customer and what runs. Raises StripeError."""
    if not features["payment_method_update"]["enabled"]:
        raise invalid("The portal does not let you change the card.")
    method = attach(account, token, customer)["id"]
    with account.change(customer, "customer.updated"):
        customer["invoice_settings"]["default_payment_method"] = method
    for each in account.of("subscription").values():
        mine = each["customer"] == customer["id"] and each["ended_at"] is None
        if mine and each["default_payment_method"] is not None:
            with account.change(each, UPDATED):
                each["default_payment_method"] = method


def change_plan(
    account: Account, customer: Object, features: Object, subscription: Object, form: dict[str, str]
) -> None:
    """Cancel, resume, or change the price. Raises StripeError."""
    action, cancel = form.get("action"), features["subscription_cancel"]
    if subscription["customer"] != customer["id"] or subscription["ended_at"] is not None:
        raise invalid("There is no such subscription.")
    if action in {"cancel", "resume"} and not cancel["enabled"]:
        raise invalid("The portal does not let you cancel.")
    if action == "cancel" and cancel["mode"] == "immediately":
        prorate = cancel["proration_behavior"] != "none"
        cancel_now(account, subscription, invoice_now=prorate, prorate=prorate)
    elif action in {"cancel", "resume"}:
        # In flexible mode the portal sets the time and leaves the boolean false.
        flexible = subscription["billing_mode"]["type"] == "flexible"
        end = {"cancel_at": "min_period_end"} if flexible else {"cancel_at_period_end": True}
        with account.change(subscription, UPDATED):
            plan_end(account, subscription, end if action == "cancel" else {"cancel_at": ""})
        set_timers(account, subscription)
    else:
        price = form.get("price")
        if price not in {each["id"] for each in options(account, subscription, features)}:
            raise invalid("The portal does not let you change this plan.")
        item = subscription["items"]["data"][0]["id"]
        behaviour = features["subscription_update"]["proration_behavior"]
        params = {"items": [{"id": item, "price": price}], "proration_behavior": behaviour}
        update_items(account, subscription, params)


ROUTES = [
    Route("/stripe/portal/{id}", show, methods=["GET"]),
    Route("/stripe/portal/{id}", act, methods=["POST"]),
]
