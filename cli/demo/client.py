"""Talks to the product as an upstream app does: through the door, and the Redis channel."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import redis

from errors import InsightsError
from events import Event

PATIENCE = 30.0
LOOK_EVERY = 0.003


class StoryBroken(InsightsError):
    """Raised when something did not follow as it should."""


@dataclass(frozen=True)
class Client:
    """An upstream app with a key."""

    http: httpx.Client
    redis: "redis.Redis"

    def publish(self, *events: Event) -> None:
        """Post events as a CloudEvents batch."""
        answer = self.http.post(
            "/events",
            content=json.dumps([cloud_event(event) for event in events]),
            headers={"Content-Type": "application/cloudevents-batch+json"},
        )
        if answer.status_code != httpx.codes.ACCEPTED:
            raise StoryBroken(f"The door answered {answer.status_code}: {answer.text}")

    def follow(self, event_id: UUID) -> dict[str, float]:
        """Wait until nobody owes an event any more; handler → milliseconds until it was done."""
        began = time.monotonic()
        done: dict[str, float] = {}
        while time.monotonic() < began + PATIENCE:
            states = self.get(f"/events/{event_id}")["handlers"]
            now = (time.monotonic() - began) * 1000
            for each in states:
                if each["state"] == "done":
                    done.setdefault(each["handler"], now)
            if len(done) == len(states):
                return done
            time.sleep(LOOK_EVERY)
        raise StoryBroken(f"After {PATIENCE:.0f} s somebody still owes event {event_id}.")

    def progress(self, training_id: str) -> Iterator[dict[str, Any]]:
        """Live news of a training from its Redis channel, until it ends.

        Subscribes when the first is asked for, then yields an empty piece of news.
        """
        deadline = time.monotonic() + PATIENCE
        with self.redis.pubsub() as line:  # type: ignore[no-untyped-call]
            line.subscribe(f"training:{training_id}")
            while time.monotonic() < deadline:
                message = line.get_message(timeout=1.0)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    yield {}
                    continue
                news = json.loads(message["data"])
                yield news
                if news["status"] in ("completed", "failed", "cancelled"):
                    return
        raise StoryBroken(f"The training did not end within {PATIENCE:.0f} s.")

    def get(self, path: str) -> Any:
        """What the door tells at a path."""
        answer = self.http.get(path)
        if not answer.is_success:
            raise StoryBroken(f"{path} answered {answer.status_code}: {answer.text}")
        return answer.json()


def cloud_event(event: Event) -> dict[str, Any]:
    """An event in the form of CloudEvents 1.0."""
    return {
        "specversion": "1.0",
        "id": str(event.id),
        "source": "/demo",
        "type": event.type,
        "time": event.occurred_at.isoformat(),
        "subject": str(event.user_id),
        "datacontenttype": "application/json",
        "data": event.data,
    }
