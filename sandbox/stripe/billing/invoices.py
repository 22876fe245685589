"""Invoices from draft to paid, void or uncollectible."""

from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.billing.discounts import amount_off, in_force
from sandbox.stripe.billing.lines import total
from sandbox.stripe.billing.settling import on_invoice_closed, on_invoice_paid
from sandbox.stripe.billing.usage import usage_line
from sandbox.stripe.errors import invalid
from sandbox.stripe.objects import Object, list_of, new_id

FINALISED_AFTER = 3600  # seconds; a draft can be changed until then
MINIMUM = 50  # cents; less is not charged (https://docs.stripe.com/currencies#minimum-and-maximum)
DAY = 86400


def draft(
    account: Account,
    customer: Object,
    lines: list[Object],
    reason: str,
    subscription: Object | None = None,
    **fields: Any,
) -> Object:
    """A new draft, whose total is what its lines and discounts make."""
    now, id_ = account.time_of(customer), new_id("invoice")
    made = amounts(0) | settings() | of_customer(customer) | of_subscription(subscription)
    made |= {
        "id": id_,
        "auto_advance": True,
        "billing_reason": reason,
        "currency": "usd",
        "lines": list_of([], f"/v1/invoices/{id_}/lines", total_count=0),
        "metadata": {},
        "period_end": now,
        "period_start": now,
        "status": "draft",
    }
    invoice = account.add("invoice", customer, **(made | fields))
    set_lines(account, invoice, lines)
    if subscription is not None:
        use_up(account, subscription, invoice)
    return invoice


def use_up(account: Account, subscription: Object, invoice: Object) -> None:
    """A coupon for `once` is gone after the first invoice from which it took something."""
    used = {each["discount"] for each in invoice["total_discount_amounts"] if each["amount"]}
    kept = account.of("discount")
    subscription["discounts"] = [
        id_
        for id_ in subscription["discounts"]
        if not (id_ in used and kept[id_]["_coupon"]["duration"] == "once")
    ]


def of_customer(customer: Object) -> Object:
    """What an invoice shows of its customer."""
    return {
        "customer": customer["id"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_tax_exempt": customer["tax_exempt"],
        "starting_balance": customer["balance"],
        "test_clock": customer["test_clock"],
    }


def of_subscription(subscription: Object | None) -> Object:
    """How an invoice is collected; one of its own is charged unless the caller says otherwise."""
    if subscription is None:
        return {"collection_method": "charge_automatically", "discounts": [], "parent": None}
    details = {
        "metadata": dict(subscription["metadata"]),
        "subscription": subscription["id"],
        "subscription_proration_date": None,
    }
    return {
        "collection_method": subscription["collection_method"],
        "discounts": list(subscription["discounts"]),
        "parent": {
            "quote_details": None,
            "subscription_details": details,
            "type": "subscription_details",
        },
        "_days": subscription["days_until_due"],
    }


def settings() -> Object:
    """What every invoice has."""
    return {
        "account_country": "US",
        "account_name": "Sandbox",
        "attempt_count": 0,
        "attempted": False,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "issuer": {"type": "self"},
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    }


def amounts(due: int) -> Object:
    """The amounts of an invoice of which nothing is paid."""
    return {
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "subtotal": due,
        "total": due,
    }


def set_lines(account: Account, invoice: Object, lines: list[Object]) -> None:
    """Put lines on a draft, and add up what they make less the discounts."""
    for each in lines:
        each["invoice"] = invoice["id"]
        if "_item" in each:
            each["_item"]["invoice"] = invoice["id"]
    invoice["lines"]["data"] = lines
    invoice["lines"]["total_count"] = len(lines)
    subtotal = left = total(lines)
    discounts = []
    for discount in in_force(account, invoice["discounts"], invoice["created"]):
        # Prorations were discounted when their item was billed.
        base = sum(each["amount"] for each in lines if each["discountable"])
        off = min(max(0, left), amount_off(discount["_coupon"], base))
        discounts.append({"amount": off, "discount": discount["id"]})
        left -= off
    invoice["total_discount_amounts"] = discounts
    invoice["subtotal"] = invoice["subtotal_excluding_tax"] = subtotal
    invoice["total"] = invoice["total_excluding_tax"] = left
    due = max(0, left + invoice["starting_balance"])
    invoice["amount_due"] = invoice["amount_remaining"] = due


def finalise(account: Account, invoice: Object) -> None:
    """Count late usage, settle the customer's balance and open the invoice."""
    account.timers.cancel("finalise", invoice["id"])
    customer = account.get("customer", invoice["customer"])
    recount(account, invoice)
    invoice["starting_balance"] = customer.get("balance", 0)
    set_lines(account, invoice, invoice["lines"]["data"])
    balance = invoice["total"] + invoice["starting_balance"]
    if balance > 0 and balance < MINIMUM:
        # Too little to charge: it waits on the customer's balance.
        invoice["amount_due"] = invoice["amount_remaining"] = 0
        invoice["ending_balance"] = balance
    else:
        invoice["ending_balance"] = min(0, balance)
    customer["balance"] = invoice["ending_balance"]
    now = account.time_of(invoice)
    # A tombstone has neither a prefix nor a sequence, but its last invoice has a number.
    number = customer["next_invoice_sequence"] = customer.get("next_invoice_sequence", 1)
    customer["next_invoice_sequence"] += 1
    url = f"{account.base_url}/invoice/{invoice['id']}"
    invoice |= {
        "automatically_finalizes_at": None,
        "effective_at": now,
        "hosted_invoice_url": url,
        "invoice_pdf": f"{url}/pdf",
        "number": f"{customer.get('invoice_prefix', 'SB')}-{number:04d}",
        "status": "open",
    }
    if invoice["collection_method"] == "send_invoice" and invoice["due_date"] is None:
        invoice["due_date"] = now + (invoice["_days"] or 0) * DAY
    invoice["status_transitions"]["finalized_at"] = now
    account.emit("invoice.finalized", invoice)


def recount(account: Account, invoice: Object) -> None:
    """Count the usage of each metered line again: some came after the draft was made."""
    lines = []
    for each in invoice["lines"]["data"]:
        if "_recount" in each:
            subscription_id, item, start, end = each["_recount"]
            subscription = account.get("subscription", subscription_id)
            lines.append(usage_line(account, subscription, item, start, end) | {"id": each["id"]})
        else:
            lines.append(each)
    invoice["lines"]["data"] = lines


def mark_paid(account: Account, invoice: Object, *, out_of_band: bool = False) -> None:
    """Close an invoice that was paid, or that asks for nothing."""
    for timer in ("retry", "overdue"):
        account.timers.cancel(timer, invoice["id"])
    now = account.time_of(invoice)
    paid = invoice["amount_due"]
    invoice |= {
        "amount_paid": paid,
        "amount_paid_off_stripe": paid if out_of_band else 0,
        "amount_remaining": 0,
        "attempted": True,
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": "paid",
        "_out_of_band": out_of_band,
    }
    invoice["status_transitions"]["paid_at"] = now
    account.emit("invoice.paid", invoice)
    if not out_of_band:
        account.emit("invoice.payment_succeeded", invoice)
    on_invoice_paid(account, invoice)


def close(account: Account, invoice: Object, status: str) -> None:
    """Void an invoice, or write it off as uncollectible. Raises StripeError 400."""
    allowed = {"open", "uncollectible"} if status == "void" else {"open"}
    if invoice["status"] not in allowed:
        verb = "void" if status == "void" else "mark uncollectible"
        raise invalid(
            f"You can only {verb} an open invoice; this one is {invoice['status']}.",
            code="invoice_not_editable",
        )
    for timer in ("retry", "overdue"):
        account.timers.cancel(timer, invoice["id"])
    now = account.time_of(invoice)
    name = "voided" if status == "void" else "marked_uncollectible"
    invoice["status_transitions"][f"{name}_at"] = now
    invoice |= {"status": status, "next_payment_attempt": None, "auto_advance": False}
    account.emit(f"invoice.{name}", invoice)
    on_invoice_closed(account, invoice)
