"""PostHog: product analytics, sent while the caller waits, which then knows that they arrived.

The SDK's queue loses what it holds when a process dies; its synchronous mode hides errors. Hence
the plain endpoint (https://posthog.com/docs/api/capture).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.http import Api


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
