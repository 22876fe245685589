"""Refunds: partial ones add up on their charge."""

from sandbox.stripe.account import Account
from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object, update_map

CREATE = {
    "amount": "int",
    "charge": "str",
    "metadata": "map?",
    "payment_intent": "str",
    "reason": "duplicate|fraudulent|requested_by_customer",
}


@endpoint("POST", "/v1/refunds", CREATE)
def create(call: Call) -> Object:
    """Give money back; without an amount, all that is left."""
    account = call.account
    charge = charge_of(account, call)
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = left if call["amount"] is None else call["amount"]
    check(charge, amount, left)
    made = account.add(
        "refund",
        charge,
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        customer=charge["customer"],
        destination_details={
            "card": {
                "reference": None,
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        metadata=dict(call["metadata"] or {}),
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=call["reason"],
        status="succeeded",
        _clock=charge["_clock"],
    )
    del made["livemode"]
    before = charge["amount_refunded"]
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    account.emit("refund.created", made)
    account.emit("charge.refunded", charge, {"amount_refunded": before})
    return made


def charge_of(account: Account, call: Call) -> Object:
    """The charge that is refunded. Raises StripeError 400."""
    if (call["charge"] is None) == (call["payment_intent"] is None):
        raise invalid("One of charge and payment_intent is required.", "charge")
    if call["charge"] is not None:
        return account.get("charge", call["charge"], "charge")
    intent = account.get("payment_intent", call["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise invalid(
            "This PaymentIntent does not have a successful charge to refund.",
            "payment_intent",
            "payment_intent_unexpected_state",
        )
    return account.get("charge", intent["latest_charge"])


def check(charge: Object, amount: int, left: int) -> None:
    """Raises StripeError 400."""
    if not charge["paid"]:
        raise invalid("Charge has not been paid.", "charge", "charge_not_refundable")
    if charge["disputed"]:
        raise invalid(
            "Charge has been charged back; cannot issue a refund.", None, "charge_disputed"
        )
    if charge["refunded"]:
        raise invalid(
            f"Charge {charge['id']} has already been refunded.", None, "charge_already_refunded"
        )
    if not 0 < amount <= left:
        raise invalid(
            f"Refund amount (${amount / 100:.2f}) is greater than unrefunded amount on charge "
            f"(${left / 100:.2f})",
            "amount",
        )


@endpoint("GET", "/v1/refunds/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get("refund", call.id)


@endpoint("POST", "/v1/refunds/{id}", {"metadata": "map?"})
def update(call: Call) -> Object:
    refund = call.account.get("refund", call.id)
    with call.account.change(refund, "refund.updated"):
        update_map(refund["metadata"], call.params.get("metadata"))
    return refund


@endpoint("GET", "/v1/refunds", PAGE | CREATED | {"charge": "str", "payment_intent": "str"})
def list_(call: Call) -> Object:
    rows = call.account.of("refund").values()
    equal = {"charge": call["charge"], "payment_intent": call["payment_intent"]}
    return page_of(call, rows, **equal)
