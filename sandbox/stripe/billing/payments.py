"""PaymentIntents and charges."""

from collections.abc import Callable
from functools import partial
from typing import Any

from sandbox.stripe.account import ACCOUNT_ID, Account, clock_of
from sandbox.stripe.billing.disputing import open_dispute
from sandbox.stripe.objects import Object, new_id

DELAY = 4 * 86400  # seconds until a bank debit is known to have come, or not
# What a charge says of its payment method.
SHOWN = (
    "account_holder_type", "account_type", "bank_name", "brand", "checks", "country", "exp_month",
    "exp_year", "fingerprint", "funding", "last4", "routing_number", "wallet",
)  # fmt: skip
# Who else wants to know how a bank debit ended; Checkout does, which knows this file.
DECIDED: list[Callable[[Account, Object, bool], None]] = []


def new_intent(account: Account, customer: Object, amount: int, **fields: Any) -> Object:
    """An intent to take an amount in cents from a customer."""
    id_ = new_id("payment_intent")
    intent = account.add(
        "payment_intent",
        customer,
        id=id_,
        amount=amount,
        amount_capturable=0,
        amount_details={"tip": {}},
        amount_received=0,
        capture_method="automatic",
        client_secret=f"{id_}_secret_sandbox",
        confirmation_method="automatic",
        currency="usd",
        customer=customer["id"],
        metadata={},
        payment_method_types=["card"],
        status="requires_payment_method",
        _clock=customer["test_clock"],
    )
    intent |= fields
    account.emit("payment_intent.created", intent)
    return intent


def confirm(account: Account, intent: Object, method: Object, *, present: bool = False) -> str:
    """Try to take the money: `succeeded`, `processing`, `requires_action` or `declined`.

    `present` tells that the customer is there to authenticate.
    """
    behaviour = method["_behaviour"]
    intent |= {"payment_method": method["id"], "last_payment_error": None, "next_action": None}
    if behaviour == "authenticates" and not present:
        url = f"{account.base_url}/authenticate/{intent['id']}"
        action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": url}}
        intent |= {"status": "requires_action", "next_action": action}
        account.emit("payment_intent.requires_action", intent)
        return "requires_action"
    if behaviour.startswith("delayed"):
        charge = new_charge(account, intent, method, "pending")
        intent |= {"status": "processing", "latest_charge": charge["id"]}
        account.emit("payment_intent.processing", intent)
        account.emit("charge.pending", charge)
        return "processing"
    if behaviour in {"declines", "refused"}:
        fail(account, intent, new_charge(account, intent, method, "failed"), method)
        return "declined"
    charge = new_charge(account, intent, method, "succeeded")
    succeed(account, intent, charge)
    if behaviour == "disputed":
        open_dispute(account, charge)
    return "succeeded"


def succeed(account: Account, intent: Object, charge: Object) -> None:
    charge |= {
        "status": "succeeded",
        "paid": True,
        "captured": True,
        "amount_captured": charge["amount"],
    }
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "latest_charge": charge["id"],
    }
    account.emit("charge.succeeded", charge)
    account.emit("payment_intent.succeeded", intent)


def fail(account: Account, intent: Object, charge: Object, method: Object) -> None:
    error = {
        "advice_code": "try_again_later",
        "charge": charge["id"],
        "code": "card_declined",
        "decline_code": "generic_decline",
        "message": "Your card was declined.",
        "payment_method": method,
        "type": "card_error",
    }
    charge |= {
        "status": "failed",
        "paid": False,
        "failure_code": "card_declined",
        "failure_message": "Your card was declined.",
    }
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "latest_charge": charge["id"],
        "last_payment_error": error,
    }
    account.emit("charge.failed", charge)
    account.emit("payment_intent.payment_failed", intent)


def await_debit(
    account: Account, intent: Object, method: Object, decided: Callable[[bool], None]
) -> None:
    """Let a bank debit be known to have come, or not, some days later."""

    def decide(came: bool | None = None) -> None:  # noqa: FBT001 - a page decides too
        if intent["status"] != "processing":
            return
        ok = came if came is not None else method["_behaviour"] != "delayed_fails"
        charge = account.get("charge", intent["latest_charge"])
        if ok:
            succeed(account, intent, charge)
        else:
            fail(account, intent, charge, method)
        decided(ok)
        for each in DECIDED:
            each(account, intent, ok)

    intent["_decide"] = decide
    due = account.time_of(intent) + DELAY
    account.timers.set(clock_of(intent), due, ("debit", intent["id"]), partial(decide))


def new_charge(account: Account, intent: Object, method: Object, status: str) -> Object:
    """A charge of an intent; `billing_details` are the method's."""
    shown = method[method["type"]]
    details = {method["type"]: {name: shown[name] for name in SHOWN if name in shown}}
    return account.add(
        "charge",
        intent,
        amount=intent["amount"],
        amount_captured=0,
        amount_refunded=0,
        billing_details=method["billing_details"],
        calculated_statement_descriptor="SANDBOX",
        captured=False,
        currency=intent["currency"],
        customer=intent["customer"],
        disputed=False,
        fraud_details={},
        metadata=dict(intent["metadata"]),
        outcome={
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        paid=False,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details=details | {"type": method["type"]},
        receipt_url=f"{account.base_url}/receipts/{intent['id']}",
        refunded=False,
        status=status,
        _clock=intent["_clock"],
        _invoice=intent.get("_invoice"),
        _account=ACCOUNT_ID,
    )


def default_method(
    account: Account, customer: Object, subscription: Object | None
) -> Object | None:
    """What a customer pays with by default."""
    own = subscription and subscription["default_payment_method"]
    settings = customer.get("invoice_settings") or {}
    id_ = own or settings.get("default_payment_method")
    return account.of("payment_method").get(id_) if id_ else None
