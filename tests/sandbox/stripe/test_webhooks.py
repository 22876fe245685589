"""Webhooks: to whom, in which form, how often, and how they go wrong when told to."""

import json
import socket

import pytest
import stripe

from sandbox.stripe.switches import CURRENT_VERSION
from tests.doubles import Doubles
from tests.sandbox.stripe.receiver import Receiver
from tests.sandbox.stripe.shop import START, Shop

CREATED, UPDATED = "customer.created", "customer.subscription.updated"


def customers(client: stripe.StripeClient, count: int) -> list[str]:
    return [client.v1.customers.create({"name": f"{i}"}).id for i in range(count)]


def ids(receiver: Receiver) -> list[str]:
    """The objects that webhooks were about, in the order in which they came."""
    return [json.loads(body)["data"]["object"]["id"] for body, _ in receiver.received]


def test_an_endpoint_gets_the_types_that_it_named(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    receiver.subscribe(client, CREATED)

    made = customers(client, 3)
    client.v1.customers.update(made[0], {"name": "other"})

    assert receiver.types(doubles) == [CREATED] * 3
    assert ids(receiver) == made


def test_a_snapshot_event_says_what_was_asked_and_what_changed(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    receiver.subscribe(client)
    customer = client.v1.customers.create({"name": "a"}, {"idempotency_key": "k1"})
    client.v1.customers.update(customer.id, {"name": "b"})

    made, changed = receiver.events(doubles)

    assert made["request"]["idempotency_key"] == "k1"
    assert made["request"]["id"].startswith("req_")
    assert (made["pending_webhooks"], made["livemode"]) == (1, False)
    assert made["api_version"] == CURRENT_VERSION
    assert changed["data"]["previous_attributes"] == {"name": "a"}
    listed = client.v1.events.list({"type": CREATED}).data[0]
    assert (listed.id, listed.pending_webhooks) == (made["id"], 0)


def test_a_secret_is_told_once(client: stripe.StripeClient, receiver: Receiver) -> None:
    endpoint = client.v1.webhook_endpoints.retrieve(receiver.subscribe(client))

    assert receiver.secret.startswith("whsec_")
    assert "secret" not in endpoint


def test_an_unknown_type_is_refused(client: stripe.StripeClient, receiver: Receiver) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        receiver.subscribe(client, "customer.sneezed")


def test_a_refused_webhook_is_sent_three_times_within_hours(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    receiver.subscribe(client)
    receiver.statuses = [500, 404, 302]
    customers(client, 1)
    doubles.await_webhooks()
    assert len(receiver.received) == 1

    for hours, count in ((1.1, 2), (3.1, 3), (24, 3)):
        doubles.advance_clock(hours=hours)
        doubles.await_webhooks()
        assert len(receiver.received) == count

    assert len(client.v1.events.list({"delivery_success": False}).data) == 1
    assert doubles.state("stripe")["deliveries"][0]["state"] == "failed"


def test_in_live_mode_tries_go_on_for_three_days_and_then_the_endpoint_is_disabled(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    doubles.set_stripe(retries="live")
    endpoint = receiver.subscribe(client)
    receiver.statuses = [500] * 99
    customers(client, 1)

    for _ in range(12):
        doubles.await_webhooks()
        doubles.advance_clock(hours=24)
    doubles.await_webhooks()

    assert len(receiver.received) == 10
    assert client.v1.webhook_endpoints.retrieve(endpoint).status == "disabled"


def test_a_copy_of_each_webhook_has_the_same_id(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    doubles.set_stripe(duplicates=2)
    receiver.subscribe(client)
    customers(client, 2)

    found = [each["id"] for each in receiver.events(doubles)]

    assert len(found) == 6
    assert len(set(found)) == 2


def test_one_change_may_make_two_events(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    doubles.set_stripe(twin_events=True)
    receiver.subscribe(client)
    customers(client, 1)

    found = receiver.events(doubles)

    assert len({each["id"] for each in found}) == 2
    assert found[0]["data"] == found[1]["data"]


@pytest.mark.parametrize("order", ["made", "reversed", "shuffled"])
def test_held_webhooks_are_sent_in_the_order_that_was_set(
    order: str, client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    doubles.set_stripe(hold=True, order=order, seed=1)
    receiver.subscribe(client, CREATED)
    made = customers(client, 6)
    assert receiver.received == []

    doubles.set_stripe(hold=False)
    doubles.await_webhooks()

    seen = ids(receiver)
    assert sorted(seen) == sorted(made)
    assert (seen == made) is (order == "made")
    assert (seen == made[::-1]) is (order == "reversed")


def test_lost_webhooks_are_never_sent_but_can_be_listed(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    doubles.set_stripe(loss=1)
    receiver.subscribe(client)
    customers(client, 2)
    doubles.advance_clock(hours=24)
    doubles.await_webhooks()

    assert receiver.received == []
    assert len(client.v1.events.list().data) == 2
    assert len(client.v1.events.list({"delivery_success": False}).data) == 2


def test_late_webhooks_wait_for_their_time(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    doubles.set_stripe(delay=3600)
    receiver.subscribe(client)
    customers(client, 1)
    doubles.await_webhooks()
    assert receiver.received == []

    doubles.advance_clock(hours=1)
    doubles.await_webhooks()

    assert len(receiver.received) == 1


def test_disorder_sends_each_at_a_time_of_its_own(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    doubles.set_stripe(disorder=3600, seed=3)
    receiver.subscribe(client)
    made = customers(client, 6)

    doubles.advance_clock(hours=1)
    doubles.await_webhooks()

    assert sorted(ids(receiver)) == sorted(made)
    assert ids(receiver) != made


def test_events_can_be_tied_within_a_second(
    client: stripe.StripeClient, doubles: Doubles, shop: Shop
) -> None:
    doubles.set_stripe(tie_seconds=3600)
    clock = shop.clock(START - START % 3600 + 10)
    subscription = shop.subscribe(shop.customer(clock=clock))
    shop.advance(clock, START - START % 3600 + 1800)
    client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})

    found = client.v1.events.list({"types": [UPDATED]}).data

    assert len({each.created for each in found}) == 1
    assert len(found) == 2


def test_foreign_events_can_be_sent(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    receiver.subscribe(client)
    doubles.set_stripe(event_livemode=True, event_account="acct_other")
    customers(client, 1)

    event = receiver.events(doubles)[0]

    assert (event["livemode"], event["account"]) == (True, "acct_other")


def test_a_hanging_receiver_is_given_up_after_a_while(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    doubles.set_stripe(webhook_timeout=0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
        receiver.subscribe(client)
        customers(client, 2)
        doubles.await_webhooks()

    assert len(receiver.received) == 2
    states = doubles.state("stripe")["deliveries"]
    assert [each["attempts"] for each in states] == [[0], [200], [0], [200]]
