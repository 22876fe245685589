"""What we send to PostHog is what its SDK for Python would send."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from posthog import Posthog

from services.posthog import Capture, PostHog
from tests.doubles import Doubles
from tests.sandbox.sent_requests import SentRequest, take_requests

USER = UUID("0198c0de-0000-7000-8000-000000000001")
# What the SDK adds about itself and the machine. `$is_server` keeps the machine's `$os`, which we
# do not send, from being taken for the person's (github.com/PostHog/posthog/pull/61044).
ABOUT_ITSELF = {"$lib", "$lib_version", "$is_server", "$os", "$os_version", "$os_distro"} | {
    "$python_runtime",
    "$python_version",
}
SEEN = Capture(
    "dataset_uploaded", USER, UUID(int=1, version=4),
    datetime(2026, 11, 20, 10, 0, 1, 250000, tzinfo=UTC),
    {"filename": "ä.csv", "size_mb": 1.5, "row_count": 3, "batch": False, "column_count": None},
)  # fmt: skip
KNOWN = Capture(
    "user_signed_up", USER, UUID(int=2, version=4), datetime(2026, 11, 20, 10, tzinfo=UTC), {},
    set={"plan": "pro", "name": "Ädä"}, set_once={"created_at": "2026-11-20T10:00:00+00:00"},
)  # fmt: skip


@pytest.fixture
def posthog(doubles: Doubles) -> Iterator[PostHog]:
    made = PostHog(f"{doubles.url}/posthog", "phc_key")
    yield made
    made.close()


def by_sdk(doubles: Doubles, *captures: Capture, historical: bool = False) -> SentRequest:
    client = Posthog(
        "phc_key", host=f"{doubles.url}/posthog", flush_interval=60,
        historical_migration=historical,
    )  # fmt: skip
    for each in captures:
        person = {"$set": each.set, "$set_once": each.set_once}
        properties = dict(each.properties) | {
            name: value for name, value in person.items() if value
        }
        client.capture(
            each.name, distinct_id=str(each.user_id), uuid=str(each.uuid), timestamp=each.at,
            properties=properties,
        )  # fmt: skip
    client.shutdown()
    (sent,) = take_requests(doubles, "posthog")
    return sent


def alike(sent: SentRequest) -> SentRequest:
    """Without the time of sending, and what a library adds about itself."""
    sent.body.pop("sent_at")
    for message in sent.body["batch"]:
        properties: dict[str, Any] = message["properties"]
        message["properties"] = {k: v for k, v in properties.items() if k not in ABOUT_ITSELF}
    return sent


@pytest.mark.parametrize("historical", [False, True])
def test_posthog_is_sent_what_its_sdk_sends(
    historical: bool, posthog: PostHog, doubles: Doubles
) -> None:
    theirs = by_sdk(doubles, SEEN, KNOWN, historical=historical)

    posthog.capture([SEEN, KNOWN], historical=historical)
    (ours,) = take_requests(doubles, "posthog")

    assert alike(ours) == alike(theirs)


def test_a_time_in_another_zone_is_the_same_moment(posthog: PostHog, doubles: Doubles) -> None:
    """The day counts in de-duplication: it must be that of UTC for both."""
    berlin = timezone(timedelta(hours=1))
    late = Capture(
        "e", USER, UUID(int=3, version=4), datetime(2026, 11, 21, 0, 30, tzinfo=berlin), {}
    )
    theirs = by_sdk(doubles, late)

    posthog.capture([late])
    (ours,) = take_requests(doubles, "posthog")

    moments = [
        datetime.fromisoformat(each.body["batch"][0]["timestamp"]) for each in (ours, theirs)
    ]
    assert moments == [late.at] * 2
