"""PostHog: product analytics, sent while the caller waits, which then knows that they arrived.

The SDK's queue loses what it holds when a process dies; its synchronous mode hides errors. Hence
the plain endpoint (https://posthog.com/docs/api/capture).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from errors import KeyRefused, ProviderRefused, ProviderUncertain
from services.http import Api, reason

BAD_REQUEST, NOT_FOUND = 400, 404
NOBODY = "matched no person"  # what PostHog says where nothing is left of any of them


@dataclass(frozen=True)
class Capture:
    """One event of a person. It counts once if `uuid`, `name` and `at` are the same on every try.

    `set` and `set_once` are properties that the person keeps; PostHog calls a user a person.
    """

    name: str
    user_id: UUID
    uuid: UUID
    at: datetime
    properties: Mapping[str, Any]
    set: Mapping[str, Any] | None = None
    set_once: Mapping[str, Any] | None = None

    def message(self) -> dict[str, Any]:
        """The event in PostHog's form."""
        # The IP address is that of a worker: it says nothing of where the person is.
        properties = dict(self.properties) | {"$geoip_disable": True, "$lib": "insights-workers"}
        for name, value in (("$set", self.set), ("$set_once", self.set_once)):
            if value:
                properties[name] = dict(value)
        return {
            "event": self.name,
            "distinct_id": str(self.user_id),
            "uuid": str(self.uuid),
            "timestamp": self.at.astimezone(UTC).isoformat(),
            "properties": properties,
        }


class PostHog:
    """One project; `key` is its public API key."""

    def __init__(self, host: str, key: str) -> None:
        self.api = Api("PostHog", host)
        self.key = key

    def capture(self, captures: Sequence[Capture], *, historical: bool = False) -> None:
        """Send events in one request; `historical` for those of long ago. Raises as Api.call."""
        body = {
            "api_key": self.key,
            "historical_migration": historical,
            "sent_at": datetime.now(UTC).isoformat(),
            "batch": [each.message() for each in captures],
        }
        self.api.call("POST", "/batch/", json=body)

    def close(self) -> None:
        """Close the connections."""
        self.api.close()


class Persons:
    """The persons of one project, deleted by the private API, which is another host than captures.

    `key` is a personal API key that may do `person:write` (https://posthog.com/docs/api/persons).
    """

    def __init__(self, url: str, project: int, key: str) -> None:
        self.api = Api("PostHog", url, {"Authorization": f"Bearer {key}"})
        self.path = f"/api/projects/{project}/persons/bulk_delete/"

    def delete(self, users: Sequence[UUID]) -> None:
        """Delete up to 1,000 persons with their events and recordings, in one request.

        PostHog queues the work, so capture nothing of them any more: their ids must not be used
        again. Persons that are gone are a success. Raises as Api.call.
        """
        body = {
            "distinct_ids": [str(user) for user in users],
            "delete_events": True,
            "delete_recordings": True,
        }
        answer = self.api.call("POST", self.path, also_ok=(BAD_REQUEST, NOT_FOUND), json=body)
        if answer.status_code == NOT_FOUND:
            # Nothing is wrong with these users: it would be the same for all others.
            raise KeyRefused("PostHog answers 404: is POSTHOG_PROJECT_ID right?")
        if answer.status_code == BAD_REQUEST:
            if NOBODY in reason(answer):
                return
            raise ProviderRefused(f"PostHog answers 400: {reason(answer)}")
        if left := answer.json().get("deletion_errors"):
            raise ProviderUncertain(f"PostHog could not delete {len(left)} persons.")

    def close(self) -> None:
        """Close the connections."""
        self.api.close()
