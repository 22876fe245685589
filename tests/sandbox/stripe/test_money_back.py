"""Refunds and disputes."""

import pytest
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.shop import Shop


def charge_of(shop: Shop, card: str = "pm_card_visa") -> stripe.Charge:
    """The charge that pays a new subscription."""
    shop.subscribe(shop.customer(card))
    return shop.client.v1.charges.list({"limit": 1}).data[0]


def event_types(doubles: Doubles) -> list[str]:
    return [each["type"] for each in doubles.state("stripe")["events"]]


def test_partial_refunds_add_up(shop: Shop, doubles: Doubles) -> None:
    charge = charge_of(shop)

    shop.client.v1.refunds.create({"charge": charge.id, "amount": 1000})
    partly = shop.client.v1.charges.retrieve(charge.id)
    assert charge.payment_intent
    shop.client.v1.refunds.create({"payment_intent": str(charge.payment_intent)})
    wholly = shop.client.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})

    assert (partly.amount_refunded, partly.refunded) == (1000, False)
    assert (wholly.amount_refunded, wholly.refunded) == (2900, True)
    assert wholly.refunds
    assert [each.amount for each in wholly.refunds.data] == [1900, 1000]
    assert event_types(doubles).count("charge.refunded") == 2


def test_more_than_was_paid_is_not_refunded(shop: Shop) -> None:
    charge = charge_of(shop)

    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        shop.client.v1.refunds.create({"charge": charge.id, "amount": 2901})
    shop.client.v1.refunds.create({"charge": charge.id})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.client.v1.refunds.create({"charge": charge.id})

    assert refused.value.code == "charge_already_refunded"


def test_from_a_charge_one_finds_its_invoice(shop: Shop) -> None:
    charge = charge_of(shop)

    payments = shop.client.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": str(charge.payment_intent)}}
    )

    assert "invoice" not in charge
    invoice = shop.client.v1.invoices.retrieve(str(payments.data[0].invoice))
    assert (invoice.status, invoice.amount_paid) == ("paid", charge.amount)


@pytest.mark.parametrize(
    ("evidence", "status", "types"),
    [
        ("winning_evidence", "won", ["funds_withdrawn", "closed", "funds_reinstated"]),
        ("losing_evidence", "lost", ["funds_withdrawn", "closed"]),
    ],
)
def test_evidence_decides_a_dispute(
    evidence: str, status: str, types: list[str], shop: Shop, doubles: Doubles
) -> None:
    charge = charge_of(shop, "pm_card_createDispute")
    dispute = shop.client.v1.disputes.list({"charge": charge.id}).data[0]
    assert (dispute.status, charge.disputed) == ("needs_response", True)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.client.v1.refunds.create({"charge": charge.id})
    assert refused.value.code == "charge_disputed"

    shop.client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}})

    decided = shop.client.v1.disputes.retrieve(dispute.id)
    assert decided.status == status
    seen = [each for each in event_types(doubles) if each.startswith("charge.dispute")]
    names = [each.removeprefix("charge.dispute.") for each in seen]
    assert [each for each in names if each != "updated"] == ["created", *types]


def test_a_dispute_may_come_at_any_time_and_be_given_up(shop: Shop, doubles: Doubles) -> None:
    charge = charge_of(shop)

    id_ = doubles.dispute(charge.id, "product_not_received", amount=900)
    shop.client.v1.disputes.close(id_)

    dispute = shop.client.v1.disputes.retrieve(id_)
    assert (dispute.status, dispute.amount, dispute.reason) == ("lost", 900, "product_not_received")
