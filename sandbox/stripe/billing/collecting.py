"""Collecting what an invoice asks for, and dunning when that fails."""

from functools import partial

from sandbox.stripe.account import Account, clock_of
from sandbox.stripe.billing import payments
from sandbox.stripe.billing.ending import end_now
from sandbox.stripe.billing.invoices import FINALISED_AFTER, close, finalise, mark_paid
from sandbox.stripe.billing.settling import (
    on_invoice_failed,
    set_status,
    subscription_of,
)
from sandbox.stripe.objects import Object

DAY = 86400
# Days after the first failure on which Stripe tries again. Where dunning was measured it took
# about 14 days; Stripe chooses the days by what it learnt, so nothing may rely on these.
RETRY_DAYS = (3, 5, 9, 14)


def issue(account: Account, invoice: Object, *, at_once: bool) -> None:
    """Announce a draft; finalise and collect it now, or an hour later as with renewals."""
    subscription = subscription_of(account, invoice)
    if subscription is not None:
        subscription["latest_invoice"] = invoice["id"]
    if not at_once and invoice["auto_advance"]:
        due = account.time_of(invoice) + FINALISED_AFTER
        invoice["automatically_finalizes_at"] = due
        advance = partial(finalise_and_collect, account, invoice)
        account.timers.set(clock_of(invoice), due, ("finalise", invoice["id"]), advance)
    account.emit("invoice.created", invoice)
    if at_once:
        finalise_and_collect(account, invoice)


def finalise_and_collect(account: Account, invoice: Object) -> None:
    """Open a draft and ask for its money, as its subscription's collection allows."""
    finalise(account, invoice)
    subscription = subscription_of(account, invoice)
    paused = subscription and subscription["pause_collection"]
    if paused and paused["behavior"] in {"void", "mark_uncollectible"}:
        close(account, invoice, "void" if paused["behavior"] == "void" else "uncollectible")
    elif invoice["amount_due"] == 0:
        mark_paid(account, invoice)
    elif invoice["collection_method"] == "send_invoice":
        account.emit("invoice.sent", invoice)
        watch_due_date(account, invoice)
    else:
        attempt(account, invoice)


def watch_due_date(account: Account, invoice: Object) -> None:
    """An invoice that was sent is overdue once its term is over."""

    def overdue() -> None:
        account.emit("invoice.overdue", invoice)
        subscription = subscription_of(account, invoice)
        if subscription is not None and subscription["status"] == "active":
            set_status(account, subscription, "past_due")

    key = ("overdue", invoice["id"])
    account.timers.set(clock_of(invoice), invoice["due_date"], key, overdue)


def attempt(
    account: Account, invoice: Object, method: Object | None = None, *, present: bool = False
) -> str:
    """Try to collect an open invoice; the outcome, as `payments.confirm` names it."""
    customer = account.get("customer", invoice["customer"])
    subscription = subscription_of(account, invoice)
    method = method or payments.default_method(account, customer, subscription)
    intent = intent_of(account, invoice, customer)
    invoice["attempted"] = True
    if method is None:
        outcome = "declined"
    else:
        outcome = payments.confirm(account, intent, method, present=present)
    invoice["_charge"] = intent["latest_charge"]
    if outcome == "succeeded":
        invoice["attempt_count"] += 1
        settle(account, invoice, intent)
    elif outcome == "processing" and method is not None:
        invoice["attempt_count"] += 1
        decided = partial(debit_decided, account, invoice, intent)
        payments.await_debit(account, intent, method, decided)
    else:
        failed(account, invoice, needs_action=outcome == "requires_action")
    return outcome


def intent_of(account: Account, invoice: Object, customer: Object) -> Object:
    """The PaymentIntent of an invoice, made at its first attempt."""
    if invoice.get("_intent"):
        return account.get("payment_intent", invoice["_intent"])
    owner = {"id": customer["id"], "test_clock": invoice["test_clock"]}
    intent = payments.new_intent(
        account,
        owner,
        invoice["amount_due"],
        description="Subscription payment",
        setup_future_usage="off_session",
        _invoice=invoice["id"],
    )
    invoice["_intent"] = intent["id"]
    payment = account.add(
        "invoice_payment",
        invoice,
        amount_paid=None,
        amount_requested=invoice["amount_due"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment={"payment_intent": intent["id"], "type": "payment_intent"},
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
        _clock=invoice["test_clock"],
    )
    intent["_payment"] = payment["id"]
    return intent


def settle(account: Account, invoice: Object, intent: Object) -> None:
    """The money came."""
    payment = account.get("invoice_payment", intent["_payment"])
    payment |= {"status": "paid", "amount_paid": intent["amount"]}
    payment["status_transitions"]["paid_at"] = account.time_of(invoice)
    account.emit("invoice_payment.paid", payment)
    mark_paid(account, invoice)


def debit_decided(account: Account, invoice: Object, intent: Object, came: bool) -> None:  # noqa: FBT001
    """A bank debit came, or did not."""
    if came:
        settle(account, invoice, intent)
    else:
        invoice["attempt_count"] -= 1
        failed(account, invoice, needs_action=False)


def failed(account: Account, invoice: Object, *, needs_action: bool) -> None:
    """Plan the next try, or end dunning as the account's settings say."""
    invoice["attempt_count"] += 1
    now = account.time_of(invoice)
    first = invoice.setdefault("_first_failure", now)
    subscription = subscription_of(account, invoice)
    is_first = subscription is not None and subscription["status"] == "incomplete"
    has_ended = subscription is not None and subscription["ended_at"] is not None
    # A first payment and a pending update are not retried: they expire.
    no_dunning = (
        is_first or has_ended or invoice.get("_resumes") or is_pending(subscription, invoice)
    )
    times = [first + days * DAY for days in RETRY_DAYS if first + days * DAY > now]
    invoice["next_payment_attempt"] = None
    if times and not no_dunning and invoice["auto_advance"]:
        invoice["next_payment_attempt"] = times[0]
        key = ("retry", invoice["id"])
        account.timers.set(clock_of(invoice), times[0], key, partial(attempt, account, invoice))
    if needs_action:
        account.emit("invoice.payment_action_required", invoice)
    account.emit("invoice.payment_failed", invoice)
    on_invoice_failed(account, invoice)
    if not times and not no_dunning and subscription is not None:
        end_dunning(account, subscription)


def is_pending(subscription: Object | None, invoice: Object) -> bool:
    return subscription is not None and subscription.get("_pending_invoice") == invoice["id"]


def end_dunning(account: Account, subscription: Object) -> None:
    """After all retries: cancel, leave unpaid, or leave past due."""
    if subscription["ended_at"] is not None:
        return
    match account.switches.after_dunning:
        case "cancel":
            end_now(account, subscription, "payment_failed")
        case "unpaid":
            set_status(account, subscription, "unpaid")
        case _:
            pass
