"""Talks to the product as an upstream app does: by its HTTP API, and the Redis channel."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import redis

from errors import InsightsError
from events import Event
from events.progress import FINAL_STATUSES, progress_key

TIMEOUT = 30.0  # seconds; each step takes less than one on an idle machine
POLL_INTERVAL = 0.003  # seconds; how exact the times are that the demo prints, at best
# As a share of the time waited so far: each poll is a trace, and a flood of them would make
# Sentry's SDK drop the one trace that the demo shows.
POLL_SLOWER = 0.05


class DemoFailed(InsightsError):
    """Raised when something does not follow from an event as it should."""


@dataclass(frozen=True)
class Client:
    """An upstream app: `http` sends its API key with each request to the product."""

    http: httpx.Client
    redis: "redis.Redis"

    def publish(self, *events: Event) -> None:
        """Post events as a CloudEvents batch. Raises DemoFailed."""
        answer = self.http.post(
            "/events",
            content=json.dumps([cloud_event(event) for event in events]),
            headers={"Content-Type": "application/cloudevents-batch+json"},
        )
        if answer.status_code != httpx.codes.ACCEPTED:
            raise DemoFailed(f"POST /events answered {answer.status_code}: {answer.text}")

    def wait_until_handled(self, event_id: UUID) -> dict[str, float]:
        """Wait until no handler owes an event any more. Raises DemoFailed.

        Returns for each handler the milliseconds from this call until it was done.
        """
        began = time.monotonic()
        done: dict[str, float] = {}
        while time.monotonic() < began + TIMEOUT:
            states = self.get(f"/events/{event_id}")["handlers"]
            now = (time.monotonic() - began) * 1000
            for each in states:
                if each["state"] == "done":
                    done.setdefault(each["handler"], now)
            if len(done) == len(states):
                return done
            time.sleep(max(POLL_INTERVAL, POLL_SLOWER * now / 1000))
        raise DemoFailed(f"After {TIMEOUT:.0f} s, event {event_id} is not wholly handled.")

    @contextmanager
    def progress(self, training_id: str) -> Iterator[Iterator[dict[str, Any]]]:
        """Live updates of a training from its Redis channel, the final one included.

        Redis keeps nothing for later: publish the event inside the `with` block, whose
        subscription has begun. Iterating raises DemoFailed where the training does not end.
        """
        with self.redis.pubsub() as channel:  # type: ignore[no-untyped-call]
            channel.subscribe(progress_key(training_id))
            channel.get_message(timeout=TIMEOUT)  # the confirmation
            yield updates(channel)

    def get(self, path: str) -> Any:
        """The JSON at a path of the HTTP API. Raises DemoFailed."""
        answer = self.http.get(path)
        if not answer.is_success:
            raise DemoFailed(f"{path} answered {answer.status_code}: {answer.text}")
        return answer.json()


def updates(channel: "redis.client.PubSub") -> Iterator[dict[str, Any]]:
    """Updates from a subscribed channel until a final one. Raises DemoFailed."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        message = channel.get_message(timeout=1.0)
        if message is None or message["type"] != "message":
            continue
        update = json.loads(message["data"])
        yield update
        if update["status"] in FINAL_STATUSES:
            return
    raise DemoFailed(f"The training did not end within {TIMEOUT:.0f} s.")


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
