"""The end of a subscription."""

from sandbox.stripe.account import Account
from sandbox.stripe.objects import Object

TIMERS = ("renew", "cancel", "expire", "trial_will_end", "resume", "pending", "upcoming")


def end_now(account: Account, subscription: Object, reason: str | None = None) -> None:
    """Cancel a subscription at once; Stripe stops collecting its invoices by itself then."""
    release_schedule(account, subscription, "canceled")
    now = account.time_of(subscription)
    stop(account, subscription)
    subscription |= {
        "status": "canceled",
        "canceled_at": subscription["canceled_at"] or now,
        "ended_at": now,
        "pause_collection": None,
        "pending_update": None,
    }
    if reason is not None:
        subscription["cancellation_details"]["reason"] = reason
    elif subscription["cancellation_details"]["reason"] is None:
        subscription["cancellation_details"]["reason"] = "cancellation_requested"
    account.emit("customer.subscription.deleted", subscription)


def expire_incomplete(account: Account, subscription: Object) -> None:
    """The first payment never came."""
    stop(account, subscription)
    with account.change(subscription, "customer.subscription.updated"):
        subscription["status"] = "incomplete_expired"
        subscription["ended_at"] = account.time_of(subscription)


def stop(account: Account, subscription: Object) -> None:
    """Nothing of a subscription is due any more, and its invoices wait for an operator."""
    for timer in TIMERS:
        account.timers.cancel(timer, subscription["id"])
    for invoice in invoices_of(account, subscription):
        # The last bill is still made and charged once; after that nobody collects it.
        is_last = invoice["status"] == "draft" and invoice.get("_final")
        if invoice["status"] in {"draft", "open"} and not is_last:
            account.timers.cancel("retry", invoice["id"])
            account.timers.cancel("finalise", invoice["id"])
            invoice |= {"auto_advance": False, "next_payment_attempt": None}


def invoices_of(account: Account, subscription: Object) -> list[Object]:
    """The invoices of a subscription, oldest first."""
    found = []
    for invoice in account.of("invoice").values():
        details = (invoice["parent"] or {}).get("subscription_details")
        if details and details["subscription"] == subscription["id"]:
            found.append(invoice)
    return found


def release_schedule(account: Account, subscription: Object, status: str) -> None:
    """End the schedule that a subscription follows; it goes on, or ends, without one."""
    schedule = account.of("subscription_schedule").get(subscription["schedule"])
    if schedule is None:
        return
    now = account.time_of(subscription)
    account.timers.cancel("phase", schedule["id"])
    schedule |= {"status": status, "current_phase": None, f"{status}_at": now}
    subscription["schedule"] = None
    if status == "released":
        schedule |= {"released_subscription": subscription["id"], "subscription": None}
    account.emit(f"subscription_schedule.{status}", schedule)
