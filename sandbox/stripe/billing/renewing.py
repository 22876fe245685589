"""What happens to a running subscription as time passes."""

from functools import partial

from sandbox.stripe.account import Account, clock_of
from sandbox.stripe.billing.collecting import issue
from sandbox.stripe.billing.ending import end_now
from sandbox.stripe.billing.invoices import draft
from sandbox.stripe.billing.items import next_end, set_periods, split
from sandbox.stripe.billing.lines import licensed
from sandbox.stripe.billing.payments import default_method
from sandbox.stripe.billing.settling import UPDATED
from sandbox.stripe.billing.usage import usage_line
from sandbox.stripe.objects import Object

DAY = 86400
TRIAL_WARNING = 3 * DAY  # before a trial's end


def set_timers(account: Account, subscription: Object) -> None:
    """Plan the next renewal, the end and the warning before a trial's end."""
    id_, clock = subscription["id"], clock_of(subscription)
    for timer in ("renew", "cancel", "trial_will_end"):
        account.timers.cancel(timer, id_)
    # Set before the renewal: at the same second, an end goes first.
    if subscription["cancel_at"] is not None:
        ends = partial(end_as_planned, account, subscription)
        account.timers.set(clock, subscription["cancel_at"], ("cancel", id_), ends)
    if subscription["status"] == "trialing":
        now, trial_end = account.time_of(subscription), subscription["trial_end"]
        warn = partial(account.emit, "customer.subscription.trial_will_end", subscription)
        due = max(now, trial_end - TRIAL_WARNING)
        account.timers.set(clock, due, ("trial_will_end", id_), warn)
    renewal = partial(renew, account, subscription)
    account.timers.set(clock, next_end(subscription), ("renew", id_), renewal)


def renew(account: Account, subscription: Object) -> None:
    """Bill the items whose period is over, and move them on."""
    if subscription["status"] == "trialing":
        end_trial(account, subscription)
    elif subscription["status"] not in {"paused", "incomplete"}:
        cycle(account, subscription)


def cycle(account: Account, subscription: Object) -> None:
    now = account.time_of(subscription)
    over = [each for each in subscription["items"]["data"] if each["current_period_end"] <= now]
    if not over:
        set_timers(account, subscription)
        return
    started = min(each["current_period_start"] for each in over)
    metered = [
        usage_line(account, subscription, each, each["current_period_start"], now)
        for each in split(over)[1]
    ]
    with account.change(subscription, UPDATED):
        set_periods(subscription, over, now)
        lines = [licensed(account, subscription, each) for each in split(over)[0]]
        bill(account, subscription, [*metered, *lines], (started, now))
    set_timers(account, subscription)


def bill(
    account: Account, subscription: Object, lines: list[Object], period: tuple[int, int]
) -> Object:
    """The invoice of a renewal, which is collected an hour later."""
    customer = account.get("customer", subscription["customer"])
    pause = subscription["pause_collection"]
    keeps = pause is not None and pause["behavior"] == "keep_as_draft"
    invoice = draft(
        account,
        customer,
        [*pending_lines(account, subscription), *lines],
        "subscription_cycle",
        subscription,
        # An unpaid subscription's invoices stay drafts until an operator acts.
        auto_advance=subscription["status"] != "unpaid" and not keeps,
        period_start=period[0],
        period_end=period[1],
    )
    issue(account, invoice, at_once=False)
    return invoice


def pending_lines(account: Account, subscription: Object) -> list[Object]:
    """Prorations and invoice items that wait for the next invoice."""
    lines: list[Object] = subscription.pop("_pending_lines", [])
    for item in account.of("invoiceitem").values():
        mine = item["customer"] == subscription["customer"] and item["invoice"] is None
        of = (item["parent"] or {}).get("subscription_details")
        if mine and (of is None or of["subscription"] == subscription["id"]):
            lines.append(item["_line"])
    return lines


def end_trial(account: Account, subscription: Object) -> None:
    """A trial is over: the first paid period begins, if there is something to pay with."""
    customer = account.get("customer", subscription["customer"])
    behaviour = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    sends = subscription["collection_method"] == "send_invoice"
    if not sends and default_method(account, customer, subscription) is None:
        if behaviour == "cancel":
            end_now(account, subscription)
            return
        if behaviour == "pause":
            pause_for(account, subscription, "trial_end_without_payment_method")
            return
    start_paid(account, subscription)


def start_paid(account: Account, subscription: Object) -> None:
    """Begin the first paid period now."""
    now = account.time_of(subscription)
    with account.change(subscription, UPDATED):
        subscription["status"] = "active"
        if subscription["trial_end"] != now:
            subscription["trial_end"] = now
        items = subscription["items"]["data"]
        started = items[0]["current_period_start"]
        subscription["billing_cycle_anchor"] = now
        set_periods(subscription, items, now)
        # What was used in the trial is not billed.
        lines = [licensed(account, subscription, each) for each in split(items)[0]]
        bill(account, subscription, lines, (started, now))
    set_timers(account, subscription)


def pause_for(account: Account, subscription: Object, cause: str) -> None:
    """Let a subscription's periods stand still."""
    now = account.time_of(subscription)
    for timer in ("renew", "trial_will_end"):
        account.timers.cancel(timer, subscription["id"])
    with account.change(subscription, UPDATED):
        subscription["status"] = "paused"
        subscription["status_details"] = {
            "paused": {
                "subscription": {"type": cause},
                "transitioned_at": now,
                "type": "subscription",
            }
        }
    account.emit("customer.subscription.paused", subscription)


def end_as_planned(account: Account, subscription: Object) -> None:
    """The end that was set before: use is billed a last time."""
    final_invoice(account, subscription, at_once=False)
    end_now(account, subscription)


def final_invoice(account: Account, subscription: Object, *, at_once: bool) -> None:
    """Bill what was used and not invoiced yet, if anything was."""
    now = account.time_of(subscription)
    if subscription["status"] not in {"active", "past_due"}:
        return
    lines = pending_lines(account, subscription)
    for item in split(subscription["items"]["data"])[1]:
        lines.append(usage_line(account, subscription, item, item["current_period_start"], now))
    if not any(each["quantity"] or each["amount"] for each in lines):
        return
    customer = account.get("customer", subscription["customer"])
    invoice = draft(account, customer, lines, "subscription_cycle", subscription, _final=True)
    issue(account, invoice, at_once=at_once)
