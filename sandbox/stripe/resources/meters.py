"""Meters and what they counted."""

from sandbox.stripe.account import Account
from sandbox.stripe.billing.usage import counted
from sandbox.stripe.endpoints import PAGE, Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object, blank

PATH = "/v1/billing/meters"
KIND = "billing.meter"
WINDOWS = {"hour": 3600, "day": 86400}  # seconds
MINUTE = 60
CREATE = {
    "customer_mapping.event_payload_key!": "str",
    "customer_mapping.type!": "by_id",
    "default_aggregation.formula!": "count|last|sum",
    "default_aggregation!": "object",
    "display_name!": "str",
    "event_name!": "str",
    "event_time_window": "day|hour",
    "value_settings.event_payload_key!": "str",
}
SUMMARIES = {
    "customer!": "str",
    "end_time!": "int",
    "start_time!": "int",
    "value_grouping_window": "day|hour",
}


@endpoint("POST", PATH, CREATE)
def create(call: Call) -> Object:
    """A meter; one event name belongs to one active meter."""
    account = call.account
    if meter_of(account, call["event_name"]) is not None:
        raise invalid("There's already an active meter with this event name.", "event_name")
    made = account.add(
        KIND,
        customer_mapping=call["customer_mapping"]
        or {"event_payload_key": "stripe_customer_id", "type": "by_id"},
        default_aggregation=call["default_aggregation"],
        display_name=call["display_name"],
        event_name=call["event_name"],
        event_time_window=call["event_time_window"],
        status="active",
        status_transitions={"deactivated_at": None},
        updated=account.now(),
        value_settings=call["value_settings"] or {"event_payload_key": "value"},
    )
    account.emit("billing.meter.created", made)
    return made


def meter_of(account: Account, event_name: str) -> Object | None:
    """The active meter that counts events of a name."""
    meters = account.of(KIND).values()
    return next(
        (
            each
            for each in meters
            if each["event_name"] == event_name and each["status"] == "active"
        ),
        None,
    )


@endpoint("GET", PATH + "/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get(KIND, call.id)


@endpoint("POST", PATH + "/{id}", {"display_name": "str"})
def update(call: Call) -> Object:
    meter = call.account.get(KIND, call.id)
    with call.account.change(meter, "billing.meter.updated"):
        meter["display_name"] = call["display_name"] or meter["display_name"]
    return meter


@endpoint("POST", PATH + "/{id}/deactivate")
def deactivate(call: Call) -> Object:
    """No event is counted any more, and no price can name the meter."""
    return switch(call, "inactive", call.account.now())


@endpoint("POST", PATH + "/{id}/reactivate")
def reactivate(call: Call) -> Object:
    return switch(call, "active", None)


def switch(call: Call, status: str, since: int | None) -> Object:
    meter = call.account.get(KIND, call.id)
    if meter["status"] == status:
        raise invalid(f"The meter is already {status}.")
    meter |= {"status": status, "status_transitions": {"deactivated_at": since}}
    name = "deactivated" if status == "inactive" else "reactivated"
    call.account.emit(f"billing.meter.{name}", meter)
    return meter


@endpoint("GET", PATH, PAGE | {"status": "active|inactive"})
def list_(call: Call) -> Object:
    return page_of(call, call.account.of(KIND).values(), status=call["status"])


@endpoint("GET", PATH + "/{id}/event_summaries", PAGE | SUMMARIES)
def summaries(call: Call) -> Object:
    """What was counted of a customer's use, in all or by hour or day, newest first."""
    account, meter = call.account, call.account.get(KIND, call.id)
    account.get("customer", call["customer"], "customer")
    step = WINDOWS.get(call["value_grouping_window"], MINUTE)
    start, end = call["start_time"], call["end_time"]
    for name, at in (("start_time", start), ("end_time", end)):
        if at % step:
            raise invalid(
                f"{name} must be aligned with the boundaries of a minute, hour or day.", name
            )
    if end <= start:
        raise invalid("end_time must be later than start_time.", "end_time")
    size = step if call["value_grouping_window"] else end - start
    rows = []
    for since in range(start, end, size):
        until = min(since + size, end)
        value = counted(account, meter, call["customer"], since, until)
        rows.append(
            blank("billing.meter_event_summary")
            | {
                "id": f"mtrusg_{call.id[4:]}_{since}_{until}",
                "aggregated_value": float(value),
                "created": since,
                "end_time": until,
                "livemode": account.switches.livemode,
                "meter": call.id,
                "start_time": since,
            }
        )
    page = page_of(call, rows)
    for each in page["data"]:
        del each["created"]
    return page
