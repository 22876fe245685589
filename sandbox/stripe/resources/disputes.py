"""Disputes. In a sandbox the text of the evidence decides, as Stripe documents it."""

from sandbox.stripe.billing.disputing import decide
from sandbox.stripe.endpoints import CREATED, PAGE, Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object, update_map

# https://docs.stripe.com/testing#disputes
VERDICTS = {"winning_evidence": True, "losing_evidence": False}
UPDATE = {"evidence.uncategorized_text": "str", "metadata": "map?", "submit": "bool"}


@endpoint("GET", "/v1/disputes/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get("dispute", call.id)


@endpoint("GET", "/v1/disputes", PAGE | CREATED | {"charge": "str", "payment_intent": "str"})
def list_(call: Call) -> Object:
    rows = call.account.of("dispute").values()
    equal = {"charge": call["charge"], "payment_intent": call["payment_intent"]}
    return page_of(call, rows, **equal)


@endpoint("POST", "/v1/disputes/{id}", UPDATE)
def update(call: Call) -> Object:
    """Stage evidence, and submit it at once unless that is put off."""
    account, dispute = call.account, call.account.get("dispute", call.id)
    if dispute["status"] not in {"needs_response", "warning_needs_response"}:
        raise invalid("This dispute is already closed.")
    text = (call["evidence"] or {}).get("uncategorized_text")
    with account.change(dispute, "charge.dispute.updated"):
        update_map(dispute["metadata"], call.params.get("metadata"))
        if text is not None:
            dispute["evidence"]["uncategorized_text"] = text
            dispute["evidence_details"]["has_evidence"] = True
        if text is not None and call["submit"] is not False:
            dispute["status"] = "under_review"
            dispute["evidence_details"]["submission_count"] += 1
            dispute["evidence_details"]["submission_method"] = "manual"
    if dispute["status"] == "under_review" and text in VERDICTS:
        decide(account, dispute, won=VERDICTS[text])
    return dispute


@endpoint("POST", "/v1/disputes/{id}/close")
def close(call: Call) -> Object:
    """Give in: the dispute is lost."""
    dispute = call.account.get("dispute", call.id)
    if dispute["status"] in {"won", "lost"}:
        raise invalid("This dispute is already closed.")
    decide(call.account, dispute, won=False)
    return dispute
