"""What we send to Loops is what its SDK for Node would send."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from runtime.assembly import Assembly
from runtime.sandbox_settings import template_id
from services.loops import Loops
from services.redis.tcp import TcpCommands
from services.redis.throttle import Throttle
from tests.doubles import Doubles
from tests.sandbox.node_scripts import RunScript, script_runner
from tests.sandbox.sent_requests import SentRequest, take_requests

USER = UUID("0198c0de-0000-7000-8000-000000000001")
ADDRESS, WELCOME = "ada+1@example.com", template_id("welcome")
VARIABLES = {"name": "Ädä <3", "dashboard_url": "https://a.example/?b=1&c", "docs_url": "x"}
FIELDS = {"firstName": "Ädä", "signupDate": "2026-11-20T10:00:00+00:00", "plan": None}
Call = tuple[str, dict[str, Any], Callable[[Loops], Any]]


@pytest.fixture(scope="module")
def node() -> RunScript:
    return script_runner()


@pytest.fixture
def loops(doubles: Doubles, assembly: Assembly) -> Iterator[Loops]:
    throttle = Throttle(TcpCommands(assembly.redis), "wire", 1000)
    made = Loops(f"{doubles.url}/loops/api", "a-key", throttle, {})
    yield made
    made.close()


def keyed(**said: Any) -> dict[str, Any]:
    return said | {"headers": {"Idempotency-Key": "k-1"}}


CALLS: dict[str, Call] = {
    "a mail": (
        "sendTransactionalEmail",
        keyed(transactionalId=WELCOME, email=ADDRESS, dataVariables=VARIABLES),
        lambda loops: loops.send(WELCOME, ADDRESS, VARIABLES, "k-1", priority=True),
    ),
    "a contact": (
        "updateContact",
        {"email": ADDRESS, "userId": str(USER), "properties": FIELDS},
        lambda loops: loops.write_contact(email=ADDRESS, userId=str(USER), **FIELDS),
    ),
    "a contact's end, by user": (
        "deleteContact",
        {"userId": str(USER)},
        lambda loops: loops.delete_contact(user_id=USER),
    ),
    "a contact's end, by address": (
        "deleteContact",
        {"email": ADDRESS},
        lambda loops: loops.delete_contact(email=ADDRESS),
    ),
    "an event": (
        "sendEvent",
        keyed(
            eventName="training_completed", email=ADDRESS, userId=str(USER),
            eventProperties={"accuracy": 0.5, "n": 3},
        ),
        lambda loops: loops.send_event(
            "training_completed", email=ADDRESS, user_id=USER, key="k-1",
            properties={"accuracy": 0.5, "n": 3},
        ),
    ),
}  # fmt: skip


def both(
    call: Call, loops: Loops, doubles: Doubles, node: RunScript
) -> tuple[SentRequest, SentRequest]:
    """What we send, and what the SDK sends."""
    method, said, do = call
    node("loops_call.mjs", doubles.url, method, json.dumps(said))
    (theirs,) = take_requests(doubles, "loops")
    do(loops)
    (ours,) = take_requests(doubles, "loops")
    return ours, theirs


@pytest.mark.parametrize("call", CALLS)
def test_loops_is_sent_what_its_sdk_sends(
    call: str, loops: Loops, doubles: Doubles, node: RunScript
) -> None:
    ours, theirs = both(CALLS[call], loops, doubles, node)

    assert ours == theirs


def test_an_event_without_properties_has_none(
    loops: Loops, doubles: Doubles, node: RunScript
) -> None:
    said = keyed(eventName="dataset_uploaded", email=ADDRESS, userId=str(USER))
    call: Call = (
        "sendEvent",
        said,
        lambda loops: loops.send_event("dataset_uploaded", email=ADDRESS, user_id=USER, key="k-1"),
    )

    ours, theirs = both(call, loops, doubles, node)

    assert ours == theirs


def test_a_contact_is_looked_for_as_the_sdk_does(
    loops: Loops, doubles: Doubles, node: RunScript
) -> None:
    call: Call = (
        "findContact",
        {"email": ADDRESS},
        lambda loops: loops.find_contact(email=ADDRESS),
    )

    ours, theirs = both(call, loops, doubles, node)

    # The SDK names the type of a body even where there is none.
    assert theirs.headers.pop("content-type") == "application/json"
    assert ours == theirs
