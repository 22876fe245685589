"""Customers. A deleted one stays as a tombstone."""

from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.billing.ending import end_now
from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.expand import includes, listed
from sandbox.stripe.lists import on_clock, page_of
from sandbox.stripe.objects import Object, update_map
from sandbox.stripe.resources.payment_methods import attach

ADDRESS = {
    f"address.{each}": "str" for each in ("city", "country", "line1", "line2", "postal_code")
}
FIELDS = {
    "balance": "int",
    "description": "str",
    "email": "str",
    "invoice_settings.default_payment_method": "str",
    "metadata": "map?",
    "name": "str",
    "phone": "str",
    "preferred_locales[]": "str",
    "address": "object?",
    "tax_exempt": "exempt|none|reverse?",
} | ADDRESS
CREATE = FIELDS | {"test_clock": "str", "payment_method": "str"}
MAX_EMAIL = 512  # characters


@endpoint("POST", "/v1/customers", CREATE)
def create(call: Call) -> Object:
    return create_customer(call.account, call.params)


def create_customer(account: Account, params: dict[str, Any]) -> Object:
    """A new customer, on a test clock where one is given. Raises StripeError."""
    clock = params.get("test_clock")
    if clock is not None:
        account.live("test_helpers.test_clock", clock, "test_clock")
    made = account.add(
        "customer",
        {"test_clock": clock},
        balance=0,
        default_source=None,
        delinquent=False,
        discount=None,
        invoice_prefix=f"SB{len(account.of('customer')) + 1:06d}",
        invoice_settings={
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        metadata={},
        next_invoice_sequence=1,
        preferred_locales=[],
        tax_exempt="none",
        test_clock=clock,
    )
    try:
        if params.get("payment_method"):
            attach(account, params["payment_method"], made)
        change(account, made, params)
    except StripeError:
        del account.of("customer")[made["id"]]
        raise
    account.emit("customer.created", made)
    return made


def change(account: Account, customer: Object, params: dict[str, Any]) -> None:
    """Set what was given. Raises StripeError 400."""
    email = params.get("email")
    if email is not None and ("@" not in email.strip("@") or len(email) > MAX_EMAIL):
        raise invalid(f"Invalid email address: {email}", "email", "email_invalid")
    for name, value in params.items():
        if name == "metadata":
            update_map(customer["metadata"], value)
        elif name == "invoice_settings":
            for key, each in value.items():
                owned(account, customer, each, f"invoice_settings[{key}]")
                customer["invoice_settings"][key] = each
        elif name in customer and name != "test_clock":
            customer[name] = None if value == "" else value


def owned(account: Account, customer: Object, method: str, param: str) -> None:
    """Raises StripeError 400 where a payment method is not the customer's."""
    found = account.get("payment_method", method, param)
    if found["customer"] != customer["id"]:
        raise invalid(
            f"The customer does not have a payment method with the ID {method}. The payment method "
            "must be attached to the customer.",
            param,
            "resource_missing",
        )


@endpoint("GET", "/v1/customers/{id}")
def retrieve(call: Call) -> Object:
    """A customer; of a deleted one, what is left."""
    found = call.account.get("customer", call.id)
    if found.get("deleted"):
        return {name: found[name] for name in ("id", "object", "deleted")}
    return found


@endpoint("POST", "/v1/customers/{id}", FIELDS)
def update(call: Call) -> Object:
    customer = call.account.live("customer", call.id)
    with call.account.change(customer, "customer.updated"):
        change(call.account, customer, call.params)
    return customer


@endpoint("DELETE", "/v1/customers/{id}")
def delete(call: Call) -> Object:
    """Cancels what the customer subscribes to, and leaves a tombstone."""
    account, customer = call.account, call.account.live("customer", call.id)
    for subscription in list(account.of("subscription").values()):
        if subscription["customer"] == call.id and subscription["ended_at"] is None:
            end_now(account, subscription)
    account.emit("customer.deleted", customer)
    tombstone = {"id": call.id, "object": "customer", "deleted": True}
    # The clock stays known, since what happened to the customer stays on it.
    account.of("customer")[call.id] = tombstone | {"_clock": customer["test_clock"]}
    return tombstone


@endpoint("GET", "/v1/customers", PAGE | CREATED | {"email": "str", "test_clock": "str"})
def list_(call: Call) -> Object:
    rows = [row for row in call.account.of("customer").values() if not row.get("deleted")]
    return page_of(call, on_clock(call, rows), email=call["email"])


@includes("customer", "subscriptions")
def subscriptions(account: Account, customer: Object) -> Object:
    """The customer's subscriptions, without those that ended."""
    rows = account.of("subscription").values()
    mine = [row for row in rows if row["customer"] == customer["id"] and row["ended_at"] is None]
    return listed(mine[::-1], f"/v1/customers/{customer['id']}/subscriptions")


for name in ("cash_balance", "invoice_credit_balance", "sources", "tax", "tax_ids"):
    includes("customer", name)(lambda _account, _customer: None)
