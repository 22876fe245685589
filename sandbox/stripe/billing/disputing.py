"""Disputes: opened by a customer's bank, decided by evidence."""

from sandbox.stripe.account import Account
from sandbox.stripe.errors import invalid
from sandbox.stripe.objects import Object, new_id

DUE_DAYS = 20  # until evidence must be there
DAY = 86400
FEE = 1500  # cents
FILES = (
    "access_activity_log", "appeal", "billing_address", "cancellation_policy",
    "cancellation_policy_disclosure", "cancellation_rebuttal", "customer_communication",
    "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
    "duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id",
    "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address",
    "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number",
    "uncategorized_file", "uncategorized_text",
)  # fmt: skip


def open_dispute(
    account: Account, charge: Object, reason: str = "fraudulent", amount: int | None = None
) -> Object:
    """The bank takes the money back until the dispute is decided. Raises StripeError 400."""
    if not charge["paid"] or charge["disputed"]:
        raise invalid("Only a charge that was paid and is not disputed can be disputed.")
    now = account.time_of(charge)
    dispute = account.add(
        "dispute",
        charge,
        amount=charge["amount"] if amount is None else amount,
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence=dict.fromkeys(FILES) | {"enhanced_evidence": {}},
        evidence_details={
            "due_by": now + DUE_DAYS * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        is_charge_refundable=False,
        metadata={},
        network_reason_code="10.4",
        payment_intent=charge["payment_intent"],
        reason=reason,
        status="needs_response",
        _clock=charge.get("_clock"),
    )
    charge["disputed"] = True
    account.emit("charge.dispute.created", dispute)
    move_funds(account, dispute, -dispute["amount"], "withdrawn")
    return dispute


def move_funds(account: Account, dispute: Object, amount: int, how: str) -> None:
    """Take what is disputed from the account's balance, or give it back."""
    fee = FEE if amount < 0 else 0
    transaction = {
        "id": f"txn_{new_id('charge')[3:]}",
        "object": "balance_transaction",
        "amount": amount,
        "available_on": account.time_of(dispute),
        "balance_type": "payments",
        "created": account.time_of(dispute),
        "currency": dispute["currency"],
        "description": f"Chargeback {how} for {dispute['charge']}",
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [],
        "net": amount - fee,
        "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
        "source": dispute["id"],
        "status": "pending",
        "type": "adjustment",
    }
    dispute["balance_transactions"].append(transaction)
    account.emit(f"charge.dispute.funds_{how}", dispute)


def decide(account: Account, dispute: Object, *, won: bool) -> None:
    """The bank's word; a won dispute gives the money back."""
    with account.change(dispute, "charge.dispute.updated"):
        dispute["status"] = "won" if won else "lost"
    account.emit("charge.dispute.closed", dispute)
    if won:
        move_funds(account, dispute, dispute["amount"], "reinstated")
