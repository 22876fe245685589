"""What happens when somebody pays on a session's page."""

from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.billing import payments
from sandbox.stripe.billing.creating import Order, create_subscription
from sandbox.stripe.billing.discounts import chosen
from sandbox.stripe.checkout.totals import set_totals
from sandbox.stripe.errors import declined, invalid
from sandbox.stripe.objects import Object
from sandbox.stripe.resources.customers import create_customer
from sandbox.stripe.resources.payment_methods import BY_TOKEN, attach, make

DAY = 86400


def pay(account: Account, session: Object, token: str | None, email: str | None = None) -> None:
    """Complete a session with a test payment method, None where nothing is to be paid.

    Raises StripeError 402 where the bank declines; the session stays open then.
    """
    check_open(session)
    if needs_method(session) and token is None:
        raise invalid("A payment method is required.", "payment_method")
    behaviour = BY_TOKEN[token][1] if token else "succeeds"
    if behaviour == "refused" or (behaviour == "declines" and session["amount_total"]):
        raise declined()
    customer = customer_of(account, session, email)
    method = make(account, token, customer) if token else None
    if method is not None and customer["id"] is not None:
        attach(account, method["id"], customer)
    if session["mode"] == "subscription":
        subscribe(account, session, customer, method)
    else:
        pay_once(account, session, customer, method)
    complete(account, session, customer)


def check_open(session: Object) -> None:
    """Raises StripeError 400."""
    if session["status"] != "open":
        raise invalid(f"This Checkout Session is {session['status']}.")


def needs_method(session: Object) -> bool:
    always = session["payment_method_collection"] == "always"
    return bool(session["amount_total"] or (session["mode"] == "subscription" and always))


def customer_of(account: Account, session: Object, email: str | None) -> Object:
    """The customer that the session names, or a new one."""
    if session["customer"] is not None:
        return account.live("customer", session["customer"], "customer")
    if session["mode"] == "payment" and session["customer_creation"] != "always":
        # A guest: what is paid belongs to no customer.
        return {"id": None, "test_clock": None, "email": email or session["customer_email"]}
    made = create_customer(account, {"email": session["customer_email"] or email})
    session["customer"] = made["id"]
    return made


def subscribe(account: Account, session: Object, customer: Object, method: Object | None) -> None:
    data = session["_subscription_data"]
    order = Order(
        customer,
        session["_items"],
        metadata=dict(data.get("metadata") or {}),
        trial_end=trial_end(account, customer, data),
        billing_mode=(data.get("billing_mode") or {}).get("type", "flexible"),
        payment_method=method["id"] if method else None,
        coupons=session_coupons(account, session, customer),
        missing_payment_method=data.get("trial_settings", {})
        .get("end_behavior", {})
        .get("missing_payment_method", "create_invoice"),
        description=data.get("description"),
        automatic_tax=session["automatic_tax"]["enabled"],
        present=True,
    )
    subscription = create_subscription(account, order)
    invoice = account.get("invoice", subscription["latest_invoice"])
    session |= {"subscription": subscription["id"], "invoice": invoice["id"]}
    if invoice.get("_intent"):
        account.get("payment_intent", invoice["_intent"])["_session"] = session["id"]
    if invoice["amount_due"] == 0:
        session["payment_status"] = "no_payment_required"
    elif invoice["status"] == "paid":
        session["payment_status"] = "paid"


def trial_end(account: Account, customer: Object, data: dict[str, Any]) -> int | None:
    days = data.get("trial_period_days")
    if days is not None:
        return account.time_of(customer) + int(days) * DAY
    return data.get("trial_end")


def session_coupons(
    account: Account, session: Object, customer: Object
) -> list[tuple[Object, Object | None]]:
    given = [{k: v for k, v in each.items() if v} for each in session["discounts"] or []]
    if given and "promotion_code" in given[0]:
        given = [{"promotion_code": given[0]["promotion_code"]}]
    return chosen(account, given, customer if customer["id"] else None)


def pay_once(account: Account, session: Object, customer: Object, method: Object | None) -> None:
    """A one-time payment; with a discount of all there is no PaymentIntent."""
    for coupon, code in session_coupons(account, session, customer):
        for each in (coupon, code):
            if each is not None:
                each["times_redeemed"] += 1
    if method is None or not session["amount_total"]:
        session["payment_status"] = "no_payment_required"
        return
    data = session["_payment_intent_data"]
    intent = payments.new_intent(
        account,
        customer,
        session["amount_total"],
        metadata=dict(data.get("metadata") or {}),
        description=data.get("description"),
        _session=session["id"],
    )
    session["payment_intent"] = intent["id"]
    outcome = payments.confirm(account, intent, method, present=True)
    if outcome == "processing":
        payments.await_debit(account, intent, method, lambda _came: None)
    elif outcome == "succeeded":
        session["payment_status"] = "paid"


def complete(account: Account, session: Object, customer: Object) -> None:
    account.timers.cancel("session", session["id"])
    set_totals(account, session)
    session |= {
        "status": "complete",
        "url": None,
        "customer_details": {
            "address": None,
            "business_name": None,
            "email": customer.get("email"),
            "individual_name": None,
            "name": customer.get("name"),
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
    }
    account.emit("checkout.session.completed", session)


def debit_decided(account: Account, intent: Object, came: bool) -> None:  # noqa: FBT001
    """A delayed payment of a session came, or did not."""
    session = account.of("checkout.session").get(intent.get("_session", ""))
    if session is None:
        return
    if came:
        session["payment_status"] = "paid"
    name = "succeeded" if came else "failed"
    account.emit(f"checkout.session.async_payment_{name}", session)


payments.DECIDED.append(debit_decided)
