"""What a session costs."""

from sandbox.stripe.account import Account
from sandbox.stripe.billing.discounts import amount_off
from sandbox.stripe.billing.lines import price_amount
from sandbox.stripe.objects import Object, blank, list_of, new_id, public


def cost(price: Object, quantity: int | None) -> int:
    """What an item costs now; what is paid by use costs nothing yet."""
    recurring = price["recurring"]
    if recurring and recurring["usage_type"] == "metered":
        return 0
    return price_amount(price, quantity or 1)


def set_totals(account: Account, session: Object) -> None:
    """Set the amounts of a session from its items, discounts and trial."""
    items = session["_items"]
    rows = [(account.get("price", each["price"]), each.get("quantity")) for each in items]
    data = session["_subscription_data"]
    in_trial = bool(data.get("trial_period_days") or data.get("trial_end"))
    subtotal = 0 if in_trial else sum(cost(price, quantity) for price, quantity in rows)
    off = 0
    for each in session["discounts"] or []:
        code = account.of("promotion_code").get(each["promotion_code"])
        coupon = account.of("coupon").get(code["promotion"]["coupon"] if code else each["coupon"])
        if coupon is not None:
            off += amount_off(coupon, subtotal - off)
    session |= {
        "amount_subtotal": subtotal,
        "amount_total": subtotal - off,
        "total_details": {
            "amount_discount": off,
            "amount_shipping": 0,
            "amount_tax": 0,
            "breakdown": None,
        },
    }


def line_items(account: Account, session: Object) -> Object:
    """The items of a session as a list."""
    rows = []
    for each in account.get("checkout.session", session["id"])["_items"]:
        price = account.get("price", each["price"])
        amount = cost(price, each.get("quantity"))
        row = blank("item") | {
            "id": new_id("item"),
            "amount_discount": 0,
            "amount_subtotal": amount,
            "amount_tax": 0,
            "amount_total": amount,
            "currency": price["currency"],
            "description": account.get("product", price["product"])["name"],
            "price": public(price),
            "quantity": each.get("quantity"),
        }
        rows.append(row)
    return list_of(rows, f"/v1/checkout/sessions/{session['id']}/line_items")
