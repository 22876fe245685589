"""Usage that is reported to meters; it is counted some time after it was accepted."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial

from sandbox.stripe.account import Account
from sandbox.stripe.endpoints import Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.events import record_thin
from sandbox.stripe.objects import Object, blank
from sandbox.stripe.resources.meters import meter_of

KIND = "billing.meter_event"
DAY = 86400
PAST, AHEAD = 35 * DAY, 300  # seconds that a timestamp may lie in the past and in the future
UNIQUE_FOR = DAY  # seconds in which an identifier may not come again
ADJUSTABLE_FOR = DAY  # seconds in which an event can be cancelled
MAX_IDENTIFIER = 100  # characters


@endpoint(
    "POST",
    "/v1/billing/meter_events",
    {"event_name!": "str", "identifier": "str", "payload!": "map", "timestamp": "int"},
)
def create(call: Call) -> Object:
    """Accept an event; whether it counts is decided later, and told by a thin event if not."""
    account = call.account
    now = account.time_of(customer_of(account, call["event_name"], call["payload"]))
    at = call["timestamp"] if call["timestamp"] is not None else now
    if at < now - PAST:
        raise invalid(
            "The timestamp must be within the past 35 calendar days.",
            "timestamp",
            "timestamp_too_far_in_past",
        )
    if at > now + AHEAD:
        raise invalid(
            "The timestamp must be up to 5 minutes in the future.",
            "timestamp",
            "timestamp_in_future",
        )
    identifier = call["identifier"]
    if identifier is not None and len(identifier) > MAX_IDENTIFIER:
        raise invalid(f"identifier has up to {MAX_IDENTIFIER} characters.", "identifier")
    check_unique(account, identifier)
    counted_at = account.clock.now().timestamp() + account.switches.meter_delay
    made = account.add(
        KIND,
        event_name=call["event_name"],
        payload=dict(call["payload"]),
        timestamp=at,
        _cancelled=False,
        _counted_at=counted_at,
        _received=account.real_now(),
    )
    made["identifier"] = identifier or made["id"]
    account.identifiers[made["identifier"]] = made
    for value in {*made["payload"].values()}:
        account.usage.setdefault(value, []).append(made)
    count = partial(process, account, made)
    account.timers.set(None, int(counted_at), ("count", made["id"]), count)
    del made["id"]
    return made


def check_unique(account: Account, identifier: str | None) -> None:
    """Raises StripeError 400, which has no code, for an identifier of the last day."""
    found = account.identifiers.get(identifier or "")
    if found is not None and found["_received"] > account.real_now() - UNIQUE_FOR:
        raise invalid(f"An event already exists with identifier {identifier}.")


def customer_of(account: Account, event_name: str, payload: dict[str, str]) -> Object | None:
    """The customer whose use an event reports."""
    meter = meter_of(account, event_name)
    key = meter["customer_mapping"]["event_payload_key"] if meter else "stripe_customer_id"
    return account.of("customer").get(payload.get(key, ""))


def process(account: Account, event: Object) -> None:
    """Find out whether an event counts."""
    code = problem(account, event)
    if code is None:
        return
    event["_cancelled"] = True
    meter = meter_of(account, event["event_name"])
    if meter is None:
        record_thin(account, "v1.billing.meter.no_meter_found", None, report(account, event, code))
    else:
        path = f"/v1/billing/meters/{meter['id']}"
        data = report(account, event, code)
        record_thin(account, "v1.billing.meter.error_report_triggered", meter, data, path)


def problem(account: Account, event: Object) -> str | None:
    """Why an event does not count."""
    meter, payload = meter_of(account, event["event_name"]), event["payload"]
    if meter is None:
        return "no_meter"
    key = meter["customer_mapping"]["event_payload_key"]
    if key not in payload:
        return "meter_event_no_customer_defined"
    customer = account.of("customer").get(payload[key])
    if customer is None or customer.get("deleted"):
        return "meter_event_customer_not_found"
    value = payload.get(meter["value_settings"]["event_payload_key"])
    if value is None:
        return "meter_event_value_not_found"
    try:
        return None if Decimal(value).is_finite() else "meter_event_invalid_value"
    except InvalidOperation:
        return "meter_event_invalid_value"


def report(account: Account, event: Object, code: str) -> Object:
    """What a thin event about errors says once it is fetched."""
    now = datetime.fromtimestamp(account.real_now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    sample = {"error_message": code, "request": {"identifier": event["identifier"]}}
    types = [{"code": code, "error_count": 1, "sample_errors": [sample]}]
    return {
        "developer_message_summary": f"There is 1 invalid event: {code}",
        "reason": {"error_count": 1, "error_types": types},
        "validation_end": now,
        "validation_start": now,
    }


@endpoint(
    "POST",
    "/v1/billing/meter_event_adjustments",
    {"cancel.identifier": "str", "event_name!": "str", "type!": "cancel"},
)
def adjust(call: Call) -> Object:
    """Cancel an event of the last day. Later only a negative event corrects."""
    account, identifier = call.account, (call["cancel"] or {}).get("identifier")
    found = account.identifiers.get(identifier or "")
    if found is None or found["event_name"] != call["event_name"]:
        raise invalid(f"No event found with identifier {identifier}.", "cancel[identifier]")
    if found["_received"] <= account.real_now() - ADJUSTABLE_FOR:
        raise invalid("Only events of the last 24 hours can be cancelled.", "cancel[identifier]")
    found["_cancelled"] = True
    return blank("billing.meter_event_adjustment") | {
        "cancel": {"identifier": identifier},
        "event_name": call["event_name"],
        "livemode": account.switches.livemode,
        "status": "pending",
        "type": "cancel",
    }
