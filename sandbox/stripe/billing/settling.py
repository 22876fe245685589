"""What becomes of a subscription when one of its invoices is paid, fails, or is given up."""

from collections.abc import Callable

from sandbox.stripe.account import Account
from sandbox.stripe.billing.ending import expire_incomplete
from sandbox.stripe.objects import Object

UPDATED = "customer.subscription.updated"
UNSETTLED = ("past_due", "unpaid")
# What applies or drops a pending update, and resumes; set by the files that make such invoices,
# which know this one.
HOOKS: dict[str, Callable[[Account, Object], None]] = {}


def subscription_of(account: Account, invoice: Object) -> Object | None:
    """The subscription that an invoice bills."""
    details = (invoice["parent"] or {}).get("subscription_details")
    return account.of("subscription").get(details["subscription"]) if details else None


def on_invoice_paid(account: Account, invoice: Object) -> None:
    subscription = subscription_of(account, invoice)
    if subscription is None:
        return
    if subscription.get("_pending_invoice") == invoice["id"]:
        HOOKS["apply"](account, subscription)
    if invoice.get("_resumes"):
        HOOKS["resume"](account, subscription)
    status = subscription["status"]
    if status == "incomplete":
        account.timers.cancel("expire", subscription["id"])
        set_status(account, subscription, running_status(account, subscription))
    elif status in UNSETTLED and is_latest(subscription, invoice):
        set_status(account, subscription, running_status(account, subscription))


def on_invoice_failed(account: Account, invoice: Object) -> None:
    """A first payment leaves the subscription incomplete; every other makes it past due."""
    subscription = subscription_of(account, invoice)
    if subscription is None or subscription.get("_pending_invoice") == invoice["id"]:
        return
    if subscription["status"] == "active" and not invoice.get("_resumes"):
        set_status(account, subscription, "past_due")


def on_invoice_closed(account: Account, invoice: Object) -> None:
    """A void or uncollectible invoice no longer stands in the subscription's way."""
    subscription = subscription_of(account, invoice)
    if subscription is None:
        return
    if subscription.get("_pending_invoice") == invoice["id"]:
        HOOKS["drop"](account, subscription)
    elif subscription["status"] == "incomplete":
        if invoice["status"] == "void":
            expire_incomplete(account, subscription)
    elif subscription["status"] in UNSETTLED and is_latest(subscription, invoice):
        set_status(account, subscription, running_status(account, subscription))


def is_latest(subscription: Object, invoice: Object) -> bool:
    """Only the newest invoice decides whether a subscription is paid up."""
    return bool(subscription["latest_invoice"] == invoice["id"])


def running_status(account: Account, subscription: Object) -> str:
    trial_end = subscription["trial_end"]
    in_trial = trial_end is not None and trial_end > account.time_of(subscription)
    return "trialing" if in_trial else "active"


def set_status(account: Account, subscription: Object, status: str) -> None:
    with account.change(subscription, UPDATED):
        subscription["status"] = status
