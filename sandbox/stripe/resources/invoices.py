"""Invoices and what paid them."""

from sandbox.stripe.account import Account
from sandbox.stripe.billing.collecting import attempt, finalise_and_collect, watch_due_date
from sandbox.stripe.billing.invoices import close, draft, finalise, mark_paid
from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.errors import StripeError, declined, invalid
from sandbox.stripe.expand import includes, listed
from sandbox.stripe.lists import on_clock, page_of
from sandbox.stripe.objects import Object, public, update_map
from sandbox.stripe.resources.customers import owned

PATH = "/v1/invoices"
STATUSES = "draft|open|paid|uncollectible|void"
METHODS = "charge_automatically|send_invoice"
CREATE = {
    "auto_advance": "bool",
    "collection_method": METHODS,
    "currency": "str",
    "customer": "str",
    "days_until_due": "int",
    "description": "str",
    "metadata": "map?",
    "pending_invoice_items_behavior": "exclude|include",
}
UPDATE = {"auto_advance": "bool", "description": "str", "metadata": "map?", "days_until_due": "int"}
LIST = {
    "collection_method": METHODS,
    "customer": "str",
    "status": STATUSES,
    "subscription": "str",
}


@endpoint("POST", PATH, CREATE)
def create(call: Call) -> Object:
    """A draft for a customer, of the invoice items that wait where they are wanted."""
    account = call.account
    if call["customer"] is None:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = account.live("customer", call["customer"], "customer")
    waiting = []
    if call["pending_invoice_items_behavior"] == "include":
        waiting = [
            item
            for item in account.of("invoiceitem").values()
            if item["customer"] == customer["id"] and item["invoice"] is None
        ]
    invoice = draft(
        account,
        customer,
        [item["_line"] for item in waiting],
        "manual",
        auto_advance=bool(call["auto_advance"]),
        collection_method=call["collection_method"] or "charge_automatically",
        description=call["description"],
        metadata=dict(call["metadata"] or {}),
        _days=call["days_until_due"],
    )
    account.emit("invoice.created", invoice)
    return invoice


@endpoint("GET", PATH + "/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get("invoice", call.id)


@endpoint("POST", PATH + "/{id}", UPDATE)
def update(call: Call) -> Object:
    invoice = call.account.get("invoice", call.id)
    with call.account.change(invoice, "invoice.updated"):
        update_map(invoice["metadata"], call.params.get("metadata"))
        for name in ("auto_advance", "description"):
            invoice[name] = call.params.get(name, invoice[name])
        if call["days_until_due"] is not None:
            invoice["_days"] = call["days_until_due"]
    return invoice


@endpoint("DELETE", PATH + "/{id}")
def delete(call: Call) -> Object:
    """Only a draft that no subscription made can be deleted."""
    account, invoice = call.account, call.account.get("invoice", call.id)
    if invoice["status"] != "draft" or invoice["parent"] is not None:
        raise invalid("You can only delete draft invoices that are not of a subscription.")
    account.emit("invoice.deleted", invoice)
    del account.of("invoice")[call.id]
    return {"id": call.id, "object": "invoice", "deleted": True}


@endpoint("GET", PATH, PAGE | CREATED | LIST)
def list_(call: Call) -> Object:
    """Invoices, also of a test clock where its customer or subscription is named."""
    rows = call.account.of("invoice").values()
    named = call["customer"] or call["subscription"]
    found = [
        row
        for row in (rows if named else on_clock(call, rows))
        if call["subscription"] is None or subscription_id(row) == call["subscription"]
    ]
    equal = {name: call[name] for name in ("collection_method", "customer", "status")}
    return page_of(call, found, **equal)


def subscription_id(invoice: Object) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    found: str | None = details.get("subscription")
    return found


@endpoint("GET", PATH + "/{id}/lines", PAGE)
def lines(call: Call) -> Object:
    rows = call.account.get("invoice", call.id)["lines"]["data"]
    return page_of(call, [public(each) for each in rows[::-1]])


@endpoint("POST", PATH + "/{id}/finalize", {"auto_advance": "bool"})
def finalize(call: Call) -> Object:
    """Open a draft; it is collected where it advances by itself."""
    account, invoice = call.account, call.account.get("invoice", call.id)
    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized.", code="invoice_not_editable")
    if call["auto_advance"] if call["auto_advance"] is not None else invoice["auto_advance"]:
        invoice["auto_advance"] = True
        finalise_and_collect(account, invoice)
    else:
        finalise(account, invoice)
        if invoice["amount_due"] == 0:
            mark_paid(account, invoice)
    return invoice


@endpoint("POST", PATH + "/{id}/send")
def send(call: Call) -> Object:
    account, invoice = call.account, call.account.get("invoice", call.id)
    if invoice["collection_method"] != "send_invoice":
        raise invalid("You can only manually send an invoice with `send_invoice`.")
    if invoice["status"] == "draft":
        finalise(account, invoice)
        watch_due_date(account, invoice)
    account.emit("invoice.sent", invoice)
    return invoice


@endpoint(
    "POST",
    PATH + "/{id}/pay",
    {"off_session": "bool", "paid_out_of_band": "bool", "payment_method": "str"},
)
def pay(call: Call) -> Object:
    """Collect now, or note that it was paid elsewhere. Raises StripeError 402 where declined."""
    account, invoice = call.account, call.account.get("invoice", call.id)
    if invoice["status"] == "draft":
        finalise(account, invoice)
    if invoice["status"] not in {"open", "uncollectible"}:
        message = {"paid": "Invoice is already paid"}.get(invoice["status"])
        raise invalid(message or f"Invoice is {invoice['status']}", code="invoice_not_editable")
    if call["paid_out_of_band"]:
        mark_paid(account, invoice, out_of_band=True)
    elif invoice["amount_due"] == 0:
        mark_paid(account, invoice)
    else:
        collect(account, invoice, call["payment_method"])
    return invoice


def collect(account: Account, invoice: Object, method_id: str | None) -> None:
    """Raises StripeError 402."""
    method = None
    if method_id is not None:
        owned(account, account.get("customer", invoice["customer"]), method_id, "payment_method")
        method = account.get("payment_method", method_id)
    outcome = attempt(account, invoice, method)
    if outcome == "declined":
        raise declined()
    if outcome == "requires_action":
        raise StripeError(
            402,
            "Payment for this invoice requires additional user action before it can be completed.",
            kind="card_error",
            began=True,
            code="invoice_payment_intent_requires_action",
        )


@endpoint("POST", PATH + "/{id}/void")
def void(call: Call) -> Object:
    invoice = call.account.get("invoice", call.id)
    close(call.account, invoice, "void")
    return invoice


@endpoint("POST", PATH + "/{id}/mark_uncollectible")
def mark_uncollectible(call: Call) -> Object:
    invoice = call.account.get("invoice", call.id)
    close(call.account, invoice, "uncollectible")
    return invoice


@endpoint(
    "GET",
    "/v1/invoice_payments",
    PAGE
    | {"invoice": "str", "status": "canceled|open|paid"}
    | {"payment.type!": "payment_intent", "payment.payment_intent": "str"},
)
def list_payments(call: Call) -> Object:
    """What paid invoices; by PaymentIntent, the way back from a charge to its invoice."""
    wanted = (call["payment"] or {}).get("payment_intent")
    rows = [
        row
        for row in call.account.of("invoice_payment").values()
        if wanted is None or row["payment"].get("payment_intent") == wanted
    ]
    return page_of(call, rows, invoice=call["invoice"], status=call["status"])


@includes("invoice", "payments")
def payments(account: Account, invoice: Object) -> Object:
    rows = account.of("invoice_payment").values()
    mine = [row for row in rows if row["invoice"] == invoice["id"]]
    return listed(mine[::-1], f"/v1/invoice_payments?invoice={invoice['id']}")


@includes("invoice", "confirmation_secret")
def confirmation_secret(account: Account, invoice: Object) -> Object | None:
    intent = account.of("invoice")[invoice["id"]].get("_intent")
    if intent is None or invoice["status"] != "open":
        return None
    secret = account.get("payment_intent", intent)["client_secret"]
    return {"client_secret": secret, "type": "payment_intent"}
