"""What the official SDK of CloudEvents sends is accepted."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from starlette.testclient import TestClient

from runtime.assembly import Assembly
from tests.web.requests import stored_events


def send(client: TestClient, message: HTTPMessage) -> list[str]:
    answer = client.post("/events", content=message.body, headers=message.headers)
    assert answer.status_code == 202, answer.text
    ids: list[str] = answer.json()["ids"]
    return ids


@pytest.mark.parametrize("as_message", [to_structured_event, to_binary_event])
@pytest.mark.parametrize("kind", [{}, {"datacontenttype": "application/json"}])
def test_an_event_of_the_sdk_is_accepted_in_both_modes(
    client: TestClient, assembly: Assembly, user_id: UUID, as_message: object, kind: dict[str, str]
) -> None:
    assert callable(as_message)
    attributes = {
        "type": "user.updated",
        "source": "/café au lait?x=1%",
        "subject": str(user_id),
        "time": datetime(2026, 5, 1, 12, tzinfo=UTC),
        "correlationid": str(user_id),
        "comexampleextension": "ignored",
    }
    event = CloudEvent(attributes | kind, {"name": "Ada Lovelacé"})

    ids = send(client, as_message(event))

    (row,) = stored_events(assembly)
    assert ids == [event.get_id()] == [str(row.id)]
    assert (row.source, row.user_id) == ("/café au lait?x=1%", user_id)
    assert (row.occurred_at, row.correlation_id) == (attributes["time"], user_id)
    assert row.data == {"name": "Ada Lovelacé"}


def test_bytes_of_the_sdk_are_refused_with_a_reason(client: TestClient, user_id: UUID) -> None:
    attributes = {"type": "user.updated", "source": "/s", "subject": str(user_id)}
    message = to_structured_event(CloudEvent(attributes, b'{"name": "Ada"}'))

    answer = client.post("/events", content=message.body, headers=message.headers)

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["data_base64"]
