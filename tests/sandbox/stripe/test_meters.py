"""Meters: usage is accepted at once and counted later, once, and billed in arrears."""

from typing import Any

import pytest
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.receiver import Receiver
from tests.sandbox.stripe.shop import DAY, START, Shop

HOUR = 3600


def report(
    shop: Shop,
    customer: str,
    value: str,
    *,
    at: int | None = None,
    key: str | None = None,
    **more: Any,
) -> stripe.billing.MeterEvent:
    params: Any = {
        "event_name": shop.meter.event_name,
        "payload": {"stripe_customer_id": customer, "value": value},
        **({"timestamp": at} if at is not None else {}),
        **({"identifier": key} if key is not None else {}),
    }
    return shop.client.v1.billing.meter_events.create(params)


def summed(shop: Shop, customer: str, start: int, end: int, **more: Any) -> list[float]:
    """What was counted from a time until another, by window where one is given."""
    params: Any = {"customer": customer, "start_time": start, "end_time": end, **more}
    found = shop.client.v1.billing.meters.event_summaries.list(shop.meter.id, params)
    return [each.aggregated_value for each in found.data]


def test_usage_is_counted_some_time_after_it_was_accepted(shop: Shop, doubles: Doubles) -> None:
    doubles.set_stripe(meter_delay=600)
    customer = shop.customer(clock=shop.clock())
    report(shop, customer, "3", at=START)

    before = summed(shop, customer, START - START % 60, START + 3600 - START % 60)
    doubles.advance_clock(hours=1)

    assert before == [0]
    assert summed(shop, customer, START - START % 60, START + 3600 - START % 60) == [3]


def test_summaries_take_whole_minutes_and_can_be_split(shop: Shop, doubles: Doubles) -> None:
    doubles.set_stripe(meter_delay=0)
    customer = shop.customer(clock=shop.clock())
    hour = START - START % HOUR
    for at, value in ((hour - 60, "1"), (hour, "2"), (hour + 30, "4"), (hour + 60, "8")):
        report(shop, customer, value, at=at)

    assert summed(shop, customer, hour, hour + 60) == [6]
    windows = summed(shop, customer, hour - HOUR, hour + HOUR, value_grouping_window="hour")
    assert windows == [14, 1]
    with pytest.raises(stripe.InvalidRequestError, match="aligned"):
        summed(shop, customer, hour + 1, hour + 60)


def test_a_repeated_identifier_is_refused_without_a_code(shop: Shop, doubles: Doubles) -> None:
    customer = shop.customer()
    report(shop, customer, "1", key="row-1")

    with pytest.raises(stripe.InvalidRequestError, match="already exists with identifier") as again:
        report(shop, customer, "1", key="row-1")

    assert again.value.code is None
    doubles.advance_clock(hours=25)
    report(shop, customer, "1", key="row-1")


def test_the_same_idempotency_key_replays_the_answer(shop: Shop) -> None:
    customer = shop.customer()
    params: Any = {
        "event_name": shop.meter.event_name,
        "identifier": "row-1",
        "payload": {"stripe_customer_id": customer, "value": "1"},
    }
    options: Any = {"idempotency_key": "row-1"}

    first = shop.client.v1.billing.meter_events.create(params, options)
    second = shop.client.v1.billing.meter_events.create(params, options)

    assert first.created == second.created


@pytest.mark.parametrize(
    ("offset", "code"),
    [(-36 * DAY, "timestamp_too_far_in_past"), (301, "timestamp_in_future")],
)
def test_a_timestamp_lies_within_35_days_and_5_minutes(offset: int, code: str, shop: Shop) -> None:
    customer = shop.customer(clock=shop.clock())

    with pytest.raises(stripe.InvalidRequestError) as refused:
        report(shop, customer, "1", at=START + offset)

    assert refused.value.code == code


def test_an_event_of_the_last_day_can_be_cancelled(shop: Shop, doubles: Doubles) -> None:
    doubles.set_stripe(meter_delay=0)
    customer = shop.customer(clock=shop.clock())
    minute = START - START % 60
    report(shop, customer, "3", at=START, key="row-1")
    cancel: Any = {"event_name": "trainings", "type": "cancel", "cancel": {"identifier": "row-1"}}
    shop.client.v1.billing.meter_event_adjustments.create(cancel)
    assert summed(shop, customer, minute, minute + 60) == [0]
    report(shop, customer, "3", at=START, key="row-2")

    doubles.advance_clock(hours=25)

    late = cancel | {"cancel": {"identifier": "row-2"}}
    with pytest.raises(stripe.InvalidRequestError, match="24 hours"):
        shop.client.v1.billing.meter_event_adjustments.create(late)


@pytest.mark.parametrize(
    ("payload", "name", "code"),
    [
        ({"stripe_customer_id": "cus_nobody", "value": "1"}, "trainings", "customer_not_found"),
        ({"stripe_customer_id": "made", "value": "many"}, "trainings", "invalid_value"),
        ({"stripe_customer_id": "made"}, "trainings", "value_not_found"),
        ({"value": "1"}, "trainings", "no_customer_defined"),
        ({"stripe_customer_id": "made", "value": "1"}, "songs", "no_meter"),
    ],
)
def test_what_cannot_be_counted_is_told_later_by_a_thin_event(
    payload: dict[str, str], name: str, code: str, shop: Shop, doubles: Doubles, receiver: Receiver
) -> None:
    doubles.set_stripe(meter_delay=600)
    meter = shop.meter.id
    types = ["v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"]
    receiver.become_destination(shop.client, *types)
    if payload.get("stripe_customer_id") == "made":
        payload = payload | {"stripe_customer_id": shop.customer()}
    shop.client.v1.billing.meter_events.create({"event_name": name, "payload": payload})

    doubles.advance_clock(hours=1)
    doubles.await_webhooks()

    body, signature = receiver.received[0]
    note: Any = shop.client.parse_event_notification(body.decode(), signature, receiver.secret)
    event: Any = note.fetch_event()
    assert event.data.reason.error_types[0].code.endswith(code)
    if code != "no_meter":
        assert note.fetch_related_object().id == meter


def test_an_event_name_belongs_to_one_active_meter(shop: Shop) -> None:
    first = shop.meter
    del shop.__dict__["meter"]
    with pytest.raises(stripe.InvalidRequestError, match="already an active meter"):
        _ = shop.meter

    shop.client.v1.billing.meters.deactivate(first.id)

    assert shop.meter.id != first.id
