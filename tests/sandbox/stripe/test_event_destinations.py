"""Event destinations of v2, which get thin events."""

import json
from typing import Any

import pytest
import stripe

from tests.doubles import Doubles
from tests.sandbox.stripe.receiver import Receiver


def new_customer(client: stripe.StripeClient) -> str:
    return client.v1.customers.create({"name": "0"}).id


def test_a_thin_event_names_its_object_and_is_fetched(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    destination = receiver.become_destination(client, "v1.customer.updated")
    customer = new_customer(client)
    client.v1.customers.update(customer, {"name": "Ada"})
    doubles.await_webhooks()

    body, signature = receiver.received[0]
    note: Any = client.parse_event_notification(body.decode(), signature, receiver.secret)

    assert len(receiver.received) == 1
    assert note.type == "v1.customer.updated"
    assert note.fetch_related_object().name == "Ada"
    assert note.fetch_event().id == note.id
    assert client.v2.core.events.list({"object_id": customer}).data[0].id == note.id
    client.v2.core.event_destinations.disable(destination)
    client.v1.customers.update(customer, {"name": "Eve"})
    doubles.await_webhooks()
    assert len(receiver.received) == 1


def test_a_destination_is_pinged_changed_and_deleted(
    client: stripe.StripeClient, doubles: Doubles, receiver: Receiver
) -> None:
    id_ = receiver.become_destination(client, "v1.customer.updated")
    destinations = client.v2.core.event_destinations

    destinations.ping(id_)
    doubles.await_webhooks()
    changed = destinations.update(id_, {"enabled_events": ["v1.customer.created"]})

    assert json.loads(receiver.received[0][0])["type"] == "v2.core.event_destination.ping"
    assert changed.enabled_events == ["v1.customer.created"]
    assert [each.id for each in destinations.list().data] == [id_]
    with pytest.raises(stripe.InvalidRequestError):
        destinations.update(id_, {"enabled_events": ["customer.created"]})
    destinations.delete(id_)
    assert destinations.list().data == []
