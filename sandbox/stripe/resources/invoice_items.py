"""Invoice items: what is put on the next invoice by hand."""

from decimal import Decimal

from sandbox.stripe.account import Account
from sandbox.stripe.billing.lines import blank_line, parent_of, price_amount
from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object

PATH = "/v1/invoiceitems"
CREATE = {
    "amount": "int",
    "currency": "str",
    "customer": "str",
    "description": "str",
    "metadata": "map?",
    "pricing.price": "str",
    "quantity": "int",
    "subscription": "str",
}


@endpoint("POST", PATH, CREATE)
def create(call: Call) -> Object:
    """An amount, or a quantity of a one-time price."""
    account = call.account
    if call["customer"] is None:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = account.live("customer", call["customer"], "customer")
    price = price_of(account, call)
    quantity = call["quantity"] or 1
    amount = price_amount(price, quantity) if price else call["amount"]
    if call["subscription"] is not None:
        account.get("subscription", call["subscription"], "subscription")
    now = account.time_of(customer)
    made = account.add(
        "invoiceitem",
        customer,
        **origin(call, price, amount),
        amount=amount,
        currency="usd",
        customer=customer["id"],
        date=now,
        description=call["description"],
        discountable=amount >= 0,
        discounts=[],
        metadata=dict(call["metadata"] or {}),
        net_amount=amount,
        period={"start": now, "end": now},
        proration=False,
        quantity=quantity,
        quantity_decimal=str(quantity),
        tax_rates=[],
        test_clock=customer["test_clock"],
    )
    del made["created"]
    made["_line"] = line_of(account, made)
    account.emit("invoiceitem.created", made)
    return made


def origin(call: Call, price: Object | None, amount: int) -> Object:
    """What an item is for, and what it costs a piece."""
    subscription = call["subscription"]
    of = {"subscription": subscription, "subscription_item": None}
    unit = price["unit_amount_decimal"] if price else str(Decimal(amount))
    details = {"price": price["id"], "product": price["product"]} if price else None
    return {
        "parent": {"subscription_details": of, "type": "subscription_details"}
        if subscription
        else None,
        "pricing": {"price_details": details, "type": "price_details", "unit_amount_decimal": unit},
    }


def price_of(account: Account, call: Call) -> Object | None:
    """The price that an item names. Raises StripeError 400."""
    id_ = (call["pricing"] or {}).get("price")
    if (id_ is None) == (call["amount"] is None):
        raise invalid("Exactly one of amount and pricing is required.", "amount")
    if id_ is None:
        return None
    price = account.get("price", id_, "pricing[price]")
    if price["type"] != "one_time":
        raise invalid("The price must be `type=one_time`.", "pricing[price]")
    return price


def line_of(account: Account, item: Object) -> Object:
    text = item["description"] or "Item"
    return blank_line(account, item["amount"], item["currency"], text) | {
        "parent": parent_of(None, invoice_item=item["id"]),
        "period": item["period"],
        "pricing": item["pricing"],
        "quantity": item["quantity"],
        "quantity_decimal": item["quantity_decimal"],
        "_item": item,
    }


@endpoint("GET", PATH + "/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get("invoiceitem", call.id)


@endpoint("DELETE", PATH + "/{id}")
def delete(call: Call) -> Object:
    """Only while no invoice has it."""
    account, item = call.account, call.account.get("invoiceitem", call.id)
    if item["invoice"] is not None:
        raise invalid("This invoice item is already on an invoice.")
    account.emit("invoiceitem.deleted", item)
    del account.of("invoiceitem")[call.id]
    return {"id": call.id, "object": "invoiceitem", "deleted": True}


@endpoint("GET", PATH, PAGE | CREATED | {"customer": "str", "invoice": "str", "pending": "bool"})
def list_(call: Call) -> Object:
    rows = [
        row | {"created": row["date"]}
        for row in call.account.of("invoiceitem").values()
        if call["pending"] is None or (row["invoice"] is None) == call["pending"]
    ]
    page = page_of(call, rows, customer=call["customer"], invoice=call["invoice"])
    for each in page["data"]:
        del each["created"]
    return page
