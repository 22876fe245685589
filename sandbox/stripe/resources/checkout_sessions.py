"""Checkout sessions."""

from functools import partial
from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.billing.discounts import chosen
from sandbox.stripe.checkout.totals import line_items, set_totals
from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.expand import includes
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object, update_map
from sandbox.stripe.resources.checkout_parameters import CREATE, LIST

PATH = "/v1/checkout/sessions"
KIND = "checkout.session"
DAY = 86400
MIN_EXPIRY, MAX_EXPIRY = 1800, DAY  # seconds from the creation
# What every session says of what the double does not do.
UNUSED: Object = {
    "adaptive_pricing": {"enabled": False},
    "collected_information": None,
    "currency": "usd",
    "custom_fields": [],
    "custom_text": dict.fromkeys(
        ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    ),
    "payment_method_options": {},
    "payment_status": "unpaid",
    "phone_number_collection": {"enabled": False},
    "shipping_options": [],
    "status": "open",
    "ui_mode": "hosted_page",
}


@endpoint("POST", PATH, CREATE)
def create(call: Call) -> Object:
    """An open session with the address of its page."""
    account, mode = call.account, call["mode"] or "payment"
    check(account, call, mode)
    customer = None
    if call["customer"] is not None:
        customer = account.live("customer", call["customer"], "customer")
    items = items_of(account, call["line_items"] or [], mode)
    chosen(account, call["discounts"] or [], customer)
    now = account.real_now()
    session = account.add(
        KIND,
        **fixed(call, mode),
        created=now,
        expires_at=expiry(call, now),
        _clock=None,
        _items=items,
        _payment_intent_data=call["payment_intent_data"] or {},
        _subscription_data=call["subscription_data"] or {},
    )
    session["url"] = f"{account.base_url}/checkout/{session['id']}"
    set_totals(account, session)
    key = ("session", session["id"])
    account.timers.set(None, session["expires_at"], key, partial(expire, account, session))
    return session


def fixed(call: Call, mode: str) -> Object:
    """The fields that the request sets, or that every session has."""
    tax = (call["automatic_tax"] or {}).get("enabled", False)
    collects = call["tax_id_collection"]
    creation = "always" if mode == "subscription" else "if_required"
    return UNUSED | {
        "allow_promotion_codes": call["allow_promotion_codes"],
        "automatic_tax": {
            "enabled": tax,
            "liability": {"type": "self"} if tax else None,
            "provider": "stripe" if tax else None,
            "status": "complete" if tax else None,
        },
        "billing_address_collection": call["billing_address_collection"],
        "cancel_url": call["cancel_url"],
        "client_reference_id": call["client_reference_id"],
        "customer": call["customer"],
        "customer_creation": call["customer_creation"] or creation,
        "customer_email": call["customer_email"],
        "discounts": [
            {"coupon": each.get("coupon"), "promotion_code": each.get("promotion_code")}
            for each in call["discounts"] or []
        ],
        "locale": call["locale"],
        "metadata": dict(call["metadata"] or {}),
        "mode": mode,
        "payment_method_collection": call["payment_method_collection"] or "always",
        "payment_method_types": call["allowed_payment_method_types"] or ["card", "us_bank_account"],
        "success_url": call["success_url"],
        "tax_id_collection": collects and {"enabled": collects["enabled"], "required": "never"},
    }


def check(account: Account, call: Call, mode: str) -> None:
    """Raises StripeError 400 for parameters that do not go together."""
    if call["success_url"] is None:
        raise invalid("You must provide `success_url`.", "success_url", "parameter_missing")
    if call["customer"] and call["customer_email"]:
        raise invalid(
            "You may only specify one of these parameters: customer, customer_email.", "customer"
        )
    if call["allow_promotion_codes"] and call["discounts"]:
        raise invalid(
            "You may only specify one of these parameters: allow_promotion_codes, discounts.",
            "allow_promotion_codes",
        )
    if mode == "subscription" and (call["payment_intent_data"] or call["customer_creation"]):
        name = "payment_intent_data" if call["payment_intent_data"] else "customer_creation"
        raise invalid(f"You can not pass `{name}` in `subscription` mode.", name)
    if mode == "payment" and call["subscription_data"]:
        raise invalid(
            "You can not pass `subscription_data` in `payment` mode.", "subscription_data"
        )
    updates_name = (call["customer_update"] or {}).get("name") == "auto"
    if call["tax_id_collection"] and call["customer"] and not updates_name:
        raise invalid(
            "Tax ID collection requires updating business name on the customer. To enable tax ID "
            "collection for an existing customer, please set `customer_update[name]` to `auto`.",
            "customer_update",
        )


def items_of(account: Account, given: list[dict[str, Any]], mode: str) -> list[dict[str, Any]]:
    """The items, whose prices must suit the mode. Raises StripeError 400."""
    if not given:
        raise invalid(
            "`line_items` is required in `payment` and `subscription` mode.", "line_items"
        )
    recurring = 0
    for i, each in enumerate(given):
        param = f"line_items[{i}]"
        if each.get("price") is None:
            raise invalid(f"Missing required param: {param}[price].", f"{param}[price]")
        price = account.get("price", each["price"], f"{param}[price]")
        if not price["active"]:
            raise invalid(f"The price specified is inactive: {price['id']}.", f"{param}[price]")
        metered = (price["recurring"] or {}).get("usage_type") == "metered"
        if metered == ("quantity" in each):
            problem = "is not allowed for" if metered else "is required for all but"
            raise invalid(f"Quantity {problem} metered prices.", f"{param}[quantity]")
        recurring += price["type"] == "recurring"
    if (mode == "subscription") != (recurring > 0) or (recurring and recurring < len(given)):
        raise invalid(
            "You must provide at least one recurring price in `subscription` mode, and none in "
            "`payment` mode.",
            "line_items",
        )
    return given


def expiry(call: Call, now: int) -> int:
    """Raises StripeError 400."""
    at = call["expires_at"] if call["expires_at"] is not None else now + DAY
    if not now + MIN_EXPIRY <= at <= now + MAX_EXPIRY:
        raise invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout "
            "Session creation.",
            "expires_at",
        )
    return int(at)


def expire(account: Account, session: Object) -> None:
    if session["status"] == "open":
        session |= {"status": "expired", "url": None}
        account.emit("checkout.session.expired", session)


@endpoint("GET", PATH + "/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get(KIND, call.id)


@endpoint("POST", PATH + "/{id}", {"metadata": "map?"})
def update(call: Call) -> Object:
    session = call.account.get(KIND, call.id)
    update_map(session["metadata"], call.params.get("metadata"))
    return session


@endpoint("POST", PATH + "/{id}/expire")
def expire_session(call: Call) -> Object:
    """Only an open session can be expired."""
    account, session = call.account, call.account.get(KIND, call.id)
    if session["status"] != "open":
        raise invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of {session['status']}."
        )
    account.timers.cancel("session", call.id)
    expire(account, session)
    return session


@endpoint("GET", PATH, PAGE | CREATED | LIST)
def list_(call: Call) -> Object:
    equal = {name: call[name] for name in ("customer", "payment_intent", "status", "subscription")}
    return page_of(call, call.account.of(KIND).values(), **equal)


@endpoint("GET", PATH + "/{id}/line_items", PAGE)
def list_line_items(call: Call) -> Object:
    session = call.account.get(KIND, call.id)
    rows = line_items(call.account, session)["data"]
    return page_of(call, rows[::-1])


includes(KIND, "line_items")(line_items)
