"""Pausing and resuming a subscription, and pausing its collection."""

from functools import partial
from typing import Any

from sandbox.stripe.account import Account, clock_of
from sandbox.stripe.billing.collecting import attempt, issue
from sandbox.stripe.billing.invoices import close, draft, finalise, mark_paid
from sandbox.stripe.billing.items import set_periods, split
from sandbox.stripe.billing.lines import licensed
from sandbox.stripe.billing.prorating import remaining, unused
from sandbox.stripe.billing.renewing import pause_for, pending_lines, set_timers
from sandbox.stripe.billing.settling import HOOKS, UPDATED
from sandbox.stripe.billing.usage import usage_line
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.objects import Object

RESUME_WITHIN = 23 * 3600  # seconds that a resumption's invoice may take


def pause(account: Account, subscription: Object, params: dict[str, Any]) -> None:
    """Stop a subscription's periods: use is billed, and unused time given back, by default.

    Raises StripeError 400.
    """
    if subscription["schedule"] is not None:
        raise invalid("A subscription that is attached to a schedule cannot be paused.")
    if subscription["status"] not in {"active", "trialing", "past_due"}:
        raise invalid(f"A subscription that is {subscription['status']} cannot be paused.")
    now, bill_for = account.time_of(subscription), params.get("bill_for") or {}
    fixed, metered = split(subscription["items"]["data"])
    lines: list[Object] = []
    if bill_for.get("outstanding_usage_through", {}).get("type", "now") == "now":
        lines += [
            usage_line(account, subscription, each, each["current_period_start"], now)
            for each in metered
        ]
    unused_from = bill_for.get("unused_time_from", {}).get("type", "now")
    if unused_from != "none" and subscription["status"] != "trialing":
        start = {"now": now}.get(unused_from)
        lines += [
            unused(account, subscription, each, start or each["current_period_start"])
            for each in fixed
        ]
    subscription.setdefault("_pending_lines", []).extend(lines)
    if params.get("invoicing_behavior") == "invoice":
        customer = account.get("customer", subscription["customer"])
        lines = pending_lines(account, subscription)
        invoice = draft(account, customer, lines, "subscription_update", subscription)
        issue(account, invoice, at_once=True)
    pause_for(account, subscription, "pause_requested")


def resume(account: Account, subscription: Object, params: dict[str, Any]) -> None:
    """Let a paused subscription run again once its invoice is paid. Raises StripeError."""
    if subscription["status"] != "paused":
        raise invalid("Only a paused subscription can be resumed.")
    if subscription["collection_method"] != "charge_automatically":
        raise invalid("Only subscriptions that charge automatically can be resumed.")
    now = account.time_of(subscription)
    items = subscription["items"]["data"]
    over = all(each["current_period_end"] <= now for each in items)
    unchanged = (params.get("billing_cycle_anchor") or {}).get("type") == "unchanged"
    fixed, _ = split(items)
    if unchanged and not over:
        lines = [remaining(account, subscription, each, now) for each in fixed]
        if params.get("proration_behavior") == "none":
            lines = []
    else:
        subscription["_anchor"] = now
        virtual, fresh = subscription | {"billing_cycle_anchor": now}, [dict(i) for i in fixed]
        set_periods(virtual, fresh, now)
        lines = [licensed(account, subscription, each) for each in fresh]
    lines = [*pending_lines(account, subscription), *lines]
    customer = account.get("customer", subscription["customer"])
    invoice = draft(account, customer, lines, "subscription_update", subscription, _resumes=True)
    subscription["latest_invoice"] = invoice["id"]
    account.emit("invoice.created", invoice)
    finalise(account, invoice)
    collect(account, subscription, invoice)


def collect(account: Account, subscription: Object, invoice: Object) -> None:
    """Collect a resumption's invoice; unpaid, it is voided and the subscription stays paused."""
    if invoice["amount_due"] == 0:
        mark_paid(account, invoice)
        return
    if attempt(account, invoice) != "succeeded":

        def give_up() -> None:
            if invoice["status"] == "open":
                close(account, invoice, "void")

        due = account.time_of(subscription) + RESUME_WITHIN
        account.timers.set(clock_of(subscription), due, ("resume", subscription["id"]), give_up)


def run(account: Account, subscription: Object) -> None:
    """A paused subscription is active again."""
    if subscription["status"] != "paused":
        return
    account.timers.cancel("resume", subscription["id"])
    anchor = subscription.pop("_anchor", None)
    with account.change(subscription, UPDATED):
        subscription |= {"status": "active", "status_details": None}
        if anchor is not None:
            subscription["billing_cycle_anchor"] = anchor
            set_periods(subscription, subscription["items"]["data"], anchor)
    account.emit("customer.subscription.resumed", subscription)
    set_timers(account, subscription)


def pause_collection(account: Account, subscription: Object, given: dict[str, Any] | str) -> None:
    """Let invoices be made and not collected, until a time where one is given.

    The caller tells of the change.
    """
    id_ = subscription["id"]
    account.timers.cancel("collection", id_)
    if not isinstance(given, dict):
        subscription["pause_collection"] = None
        return
    if "behavior" not in given:
        raise StripeError(400, "Missing required param: pause_collection[behavior].")
    resumes_at = given.get("resumes_at")
    subscription["pause_collection"] = {"behavior": given["behavior"], "resumes_at": resumes_at}
    if resumes_at is not None:
        resume_ = partial(resume_collection, account, subscription)
        account.timers.set(clock_of(subscription), resumes_at, ("collection", id_), resume_)


def resume_collection(account: Account, subscription: Object) -> None:
    if subscription["ended_at"] is None:
        with account.change(subscription, UPDATED):
            subscription["pause_collection"] = None


HOOKS["resume"] = run
