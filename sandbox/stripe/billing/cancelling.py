"""Ends that somebody asks for: now, at a time, or at the end of a period."""

from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.billing.ending import end_now
from sandbox.stripe.billing.items import last_end, next_end, split
from sandbox.stripe.billing.prorating import unused
from sandbox.stripe.billing.renewing import final_invoice
from sandbox.stripe.errors import invalid
from sandbox.stripe.objects import Object


def plan_end(account: Account, subscription: Object, params: dict[str, Any]) -> None:
    """Set or clear the end of a subscription. Raises StripeError 400.

    `cancel_at_period_end` means the end of the item that ends first; `cancel_at` leaves that
    boolean false, also where it names the end of a period.
    """
    asked, flag = params.get("cancel_at"), params.get("cancel_at_period_end")
    if asked not in {None, ""} and flag:
        raise invalid(
            "You may only specify one of cancel_at and cancel_at_period_end.", "cancel_at"
        )
    now = account.time_of(subscription)
    if flag:
        subscription |= {"cancel_at_period_end": True, "cancel_at": next_end(subscription)}
    elif asked not in {None, ""}:
        subscription |= {"cancel_at_period_end": False, "cancel_at": time_of(subscription, asked)}
        if subscription["cancel_at"] < now:
            raise invalid("Invalid timestamp: must be in the future.", "cancel_at")
    else:
        subscription |= {"cancel_at_period_end": False, "cancel_at": None, "canceled_at": None}
        subscription["cancellation_details"]["reason"] = None
        return
    subscription["canceled_at"] = now
    subscription["cancellation_details"]["reason"] = "cancellation_requested"


def time_of(subscription: Object, asked: int | str) -> int:
    """The time that `cancel_at` stands for."""
    match asked:
        case "min_period_end":
            return next_end(subscription)
        case "max_period_end" | "max_billed_until":
            return last_end(subscription)
        case _:
            return int(asked)


def cancel_now(account: Account, subscription: Object, *, invoice_now: bool, prorate: bool) -> None:
    """End a subscription now. Usage that is not invoiced now is never billed."""
    if prorate and subscription["status"] in {"active", "past_due"}:
        now = account.time_of(subscription)
        lines = [
            unused(account, subscription, each, now)
            for each in split(subscription["items"]["data"])[0]
        ]
        subscription.setdefault("_pending_lines", []).extend(lines)
    if invoice_now:
        final_invoice(account, subscription, at_once=True)
    end_now(account, subscription)
