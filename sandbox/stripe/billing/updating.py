"""Carrying out an update: invoiced at once or later, paid first or not."""

from functools import partial
from typing import Any

from sandbox.stripe.account import Account, clock_of
from sandbox.stripe.billing.changing import Change, make, planned
from sandbox.stripe.billing.collecting import attempt, issue
from sandbox.stripe.billing.invoices import close, draft, finalise, mark_paid
from sandbox.stripe.billing.items import next_end
from sandbox.stripe.billing.payments import default_method
from sandbox.stripe.billing.renewing import pending_lines, set_timers
from sandbox.stripe.billing.settling import HOOKS, UPDATED
from sandbox.stripe.errors import StripeError, declined, invalid
from sandbox.stripe.objects import Object, public

PENDING_FOR = 23 * 3600  # seconds until a pending update expires
# What a pending update may change
# (https://docs.stripe.com/billing/subscriptions/pending-updates-reference).
PENDING_PARAMETERS = {
    "add_invoice_items", "billing_cycle_anchor", "expand", "items", "off_session",
    "payment_behavior", "proration_behavior", "proration_date", "trial_end", "trial_from_plan",
}  # fmt: skip


def update_items(account: Account, subscription: Object, params: dict[str, Any]) -> None:
    """Change items, anchor or trial as a request says. Raises StripeError 400 or 402."""
    behaviour = params.get("payment_behavior") or "allow_incomplete"
    if behaviour == "pending_if_incomplete":
        check_pending(account, subscription, params)
    change = planned(account, subscription, params)
    invoices = change.at_once or params.get("proration_behavior") == "always_invoice"
    if not invoices or not (change.lines or change.at_once):
        apply(account, subscription, change)
        if change.lines:
            subscription.setdefault("_pending_lines", []).extend(change.lines)
        return
    if behaviour == "error_if_incomplete":
        check_payable(account, subscription, change)
    if behaviour == "pending_if_incomplete":
        pay_first(account, subscription, change)
        return
    apply(account, subscription, change)
    before = subscription["latest_invoice"]
    issue(account, invoice_for(account, subscription, change), at_once=True)
    account.emit(UPDATED, subscription, {"latest_invoice": before})


def apply(account: Account, subscription: Object, change: Change) -> None:
    was_trialing = subscription["status"] == "trialing"
    with account.change(subscription, UPDATED):
        make(account, subscription, change)
    if was_trialing and subscription["status"] == "active":
        # Stripe warns of a trial's end also when somebody ends it at once.
        account.emit("customer.subscription.trial_will_end", subscription)
    set_timers(account, subscription)


def invoice_for(account: Account, subscription: Object, change: Change) -> Object:
    customer = account.get("customer", subscription["customer"])
    lines = [*pending_lines(account, subscription), *change.lines]
    return draft(account, customer, lines, "subscription_update", subscription)


def check_pending(account: Account, subscription: Object, params: dict[str, Any]) -> None:
    """Raises StripeError 400 where there can be no pending update."""
    others = sorted(set(params) - PENDING_PARAMETERS)
    if others:
        raise invalid(
            f"You cannot update {', '.join(others)} when `payment_behavior` is "
            "`pending_if_incomplete`.",
            others[0],
        )
    if subscription["collection_method"] == "send_invoice":
        raise invalid(
            "`payment_behavior` may only be `pending_if_incomplete` where `collection_method` is "
            "`charge_automatically`.",
            "payment_behavior",
        )
    customer = account.get("customer", subscription["customer"])
    method = default_method(account, customer, subscription)
    if method is not None and method["type"] != "card":
        raise invalid("Pending updates do not support bank debits.", "payment_behavior")


def check_payable(account: Account, subscription: Object, change: Change) -> None:
    """Raises StripeError 402 where the payment would not come; then nothing is changed."""
    if sum(each["amount"] for each in change.lines) <= 0:
        return
    customer = account.get("customer", subscription["customer"])
    method = default_method(account, customer, subscription)
    if method is None or method["_behaviour"] in {"declines", "refused"}:
        raise declined()
    if method["_behaviour"] == "authenticates":
        raise StripeError(
            402,
            "Payment for this subscription requires additional user action before it can be "
            "completed successfully.",
            kind="card_error",
            began=True,
            code="subscription_payment_intent_requires_action",
        )


def pay_first(account: Account, subscription: Object, change: Change) -> None:
    """Charge for a change, and make it once that is paid."""
    if subscription.get("_pending_invoice"):
        drop(account, subscription)
    invoice = invoice_for(account, subscription, change)
    subscription["latest_invoice"] = invoice["id"]
    subscription |= {"_pending_invoice": invoice["id"], "_pending_change": change}
    account.emit("invoice.created", invoice)
    finalise(account, invoice)
    if invoice["amount_due"] == 0:
        mark_paid(account, invoice)
        return
    if attempt(account, invoice) == "succeeded":
        return
    now = account.time_of(subscription)
    ends = min(now + PENDING_FOR, subscription["trial_end"] or next_end(subscription))
    if ends <= now:
        ends = now + PENDING_FOR
    with account.change(subscription, UPDATED):
        subscription["pending_update"] = {
            "billing_cycle_anchor": change.anchor,
            "expires_at": ends,
            "subscription_items": public(change.items),
            "trial_end": None,
            "trial_from_plan": None,
        }
    key = ("pending", subscription["id"])
    action = partial(expire, account, subscription, invoice)
    account.timers.set(clock_of(subscription), ends, key, action)


def apply_pending(account: Account, subscription: Object) -> None:
    """The invoice was paid."""
    change, was_pending = subscription.pop("_pending_change"), subscription["pending_update"]
    subscription["_pending_invoice"] = None
    account.timers.cancel("pending", subscription["id"])
    with account.change(subscription, UPDATED):
        make(account, subscription, change)
        subscription["pending_update"] = None
    set_timers(account, subscription)
    if was_pending:
        account.emit("customer.subscription.pending_update_applied", subscription)


def drop(account: Account, subscription: Object) -> None:
    """The invoice of a pending update was given up, and the update with it."""
    account.timers.cancel("pending", subscription["id"])
    id_, subscription["_pending_invoice"] = subscription["_pending_invoice"], None
    subscription.pop("_pending_change", None)
    invoice = account.get("invoice", id_)
    if invoice["status"] == "open":
        close(account, invoice, "void")
    with account.change(subscription, UPDATED):
        subscription["pending_update"] = None


def expire(account: Account, subscription: Object, invoice: Object) -> None:
    """Nobody paid in time."""
    if subscription.get("_pending_invoice") == invoice["id"]:
        drop(account, subscription)
        account.emit("customer.subscription.pending_update_expired", subscription)


HOOKS["apply"] = apply_pending
HOOKS["drop"] = drop
