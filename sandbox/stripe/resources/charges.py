"""PaymentIntents and charges, which other resources make."""

from sandbox.stripe.account import Account
from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.expand import includes, listed
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object, update_map


@endpoint("GET", "/v1/payment_intents/{id}")
def retrieve_intent(call: Call) -> Object:
    return call.account.get("payment_intent", call.id)


@endpoint("GET", "/v1/payment_intents", PAGE | CREATED | {"customer": "str"})
def list_intents(call: Call) -> Object:
    rows = call.account.of("payment_intent").values()
    return page_of(call, rows, customer=call["customer"])


@endpoint("GET", "/v1/charges/{id}")
def retrieve_charge(call: Call) -> Object:
    return call.account.get("charge", call.id)


@endpoint("POST", "/v1/charges/{id}", {"metadata": "map?", "description": "str"})
def update_charge(call: Call) -> Object:
    charge = call.account.get("charge", call.id)
    with call.account.change(charge, "charge.updated"):
        update_map(charge["metadata"], call.params.get("metadata"))
        charge["description"] = call.params.get("description", charge["description"])
    return charge


@endpoint("GET", "/v1/charges", PAGE | CREATED | {"customer": "str", "payment_intent": "str"})
def list_charges(call: Call) -> Object:
    rows = call.account.of("charge").values()
    equal = {"customer": call["customer"], "payment_intent": call["payment_intent"]}
    return page_of(call, rows, **equal)


@includes("charge", "refunds")
def refunds(account: Account, charge: Object) -> Object:
    rows = account.of("refund").values()
    mine = [row for row in rows if row["charge"] == charge["id"]]
    return listed(mine[::-1], f"/v1/charges/{charge['id']}/refunds")
