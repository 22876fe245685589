"""Payment methods: cards and bank debits, each of which behaves as Stripe's test cards do."""

from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.endpoints import PAGE, Call, endpoint
from sandbox.stripe.errors import declined, invalid
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object, update_map

# How test cards behave (https://docs.stripe.com/testing): by number, and by the token that stands
# for it. `refused` is declined already when it is attached.
CARDS = {
    "4242424242424242": ("pm_card_visa", "succeeds"),
    "4000000000000341": ("pm_card_chargeCustomerFail", "declines"),
    "4000000000000002": ("pm_card_visa_chargeDeclined", "refused"),
    "4000000000009995": ("pm_card_visa_chargeDeclinedInsufficientFunds", "refused"),
    "4000002760003184": ("pm_card_authenticationRequired", "authenticates"),
    "4000000000000259": ("pm_card_createDispute", "disputed"),
    "000123456789": ("pm_usBankAccount", "delayed"),
    "000111111116": ("pm_usBankAccount_failure", "delayed_fails"),
}
BY_TOKEN = {token: (number, behaviour) for number, (token, behaviour) in CARDS.items()}
BY_TOKEN["pm_card_mastercard"] = ("5555555555554444", "succeeds")


def make(account: Account, token: str, owner: Object | None) -> Object:
    """A payment method from a test token. Raises StripeError 400."""
    if token not in BY_TOKEN:
        raise invalid(f"No such PaymentMethod: '{token}'", "payment_method", "resource_missing")
    number, behaviour = BY_TOKEN[token]
    is_card = not behaviour.startswith("delayed")
    details = card(number, token) if is_card else bank_account(number)
    type_ = "card" if is_card else "us_bank_account"
    return account.add(
        "payment_method",
        owner,
        allow_redisplay="unspecified",
        billing_details={
            "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        customer=None,
        metadata={},
        type=type_,
        _behaviour=behaviour,
        _clock=(owner or {}).get("test_clock"),
        **{type_: details},
    )


def card(number: str, token: str) -> Object:
    return {
        "brand": "mastercard" if "mastercard" in token else "visa",
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "US",
        "display_brand": "visa",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": f"fp{number[-10:]}",
        "funding": "credit",
        "generated_from": None,
        "last4": number[-4:],
        "networks": {"available": ["visa"], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def bank_account(number: str) -> Object:
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": f"fp{number[-10:]}",
        "last4": number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": None,
    }


def attach(account: Account, id_: str, customer: Object) -> Object:
    """Give a customer a payment method, by its id or a test token. Raises StripeError."""
    found = account.of("payment_method").get(id_) or make(account, id_, customer)
    if found["_behaviour"] == "refused":
        del account.of("payment_method")[found["id"]]
        raise declined()
    if found["customer"] not in {None, customer["id"]}:
        raise invalid(
            "The payment method you provided has already been attached to a customer.",
            "payment_method",
        )
    found["customer"] = customer["id"]
    found["_clock"] = customer.get("test_clock")
    account.emit("payment_method.attached", found)
    return found


@endpoint("POST", "/v1/payment_methods/{id}/attach", {"customer": "str"})
def attach_method(call: Call) -> Object:
    if call["customer"] is None:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = call.account.live("customer", call["customer"], "customer")
    return attach(call.account, call.id, customer)


@endpoint("POST", "/v1/payment_methods/{id}/detach")
def detach(call: Call) -> Object:
    """Take a payment method from its customer; it cannot be used again."""
    account, found = call.account, call.account.get("payment_method", call.id)
    owner: Any = account.of("customer").get(found["customer"])
    if owner is None:
        raise invalid("The payment method you provided is not attached to a customer.")
    account.emit("payment_method.detached", found, {"customer": found["customer"]})
    found["customer"] = None
    if not owner.get("deleted") and owner["invoice_settings"]["default_payment_method"] == call.id:
        with account.change(owner, "customer.updated"):
            owner["invoice_settings"]["default_payment_method"] = None
    for subscription in account.of("subscription").values():
        if subscription["default_payment_method"] == call.id:
            with account.change(subscription, "customer.subscription.updated"):
                subscription["default_payment_method"] = None
    return found


@endpoint("GET", "/v1/payment_methods/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get("payment_method", call.id)


@endpoint("POST", "/v1/payment_methods/{id}", {"metadata": "map?"})
def update(call: Call) -> Object:
    found = call.account.get("payment_method", call.id)
    with call.account.change(found, "payment_method.updated"):
        update_map(found["metadata"], call.params.get("metadata"))
    return found


@endpoint("GET", "/v1/payment_methods", PAGE | {"customer": "str", "type": "card|us_bank_account"})
def list_(call: Call) -> Object:
    if call["customer"]:
        call.account.live("customer", call["customer"], "customer")
    rows = [row for row in call.account.of("payment_method").values() if row["customer"]]
    return page_of(call, rows, customer=call["customer"], type=call["type"])


@endpoint("GET", "/v1/customers/{id}/payment_methods", PAGE | {"type": "card|us_bank_account"})
def list_of_customer(call: Call) -> Object:
    call.account.live("customer", call.id)
    rows = call.account.of("payment_method").values()
    return page_of(call, rows, customer=call.id, type=call["type"])
