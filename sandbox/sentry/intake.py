"""What Sentry was sent, by kind, and every envelope as it came."""

from typing import Any

from sandbox.sentry.envelope import Item, items_of


class Intake:
    """One project. `raw` holds whole envelopes as text: nothing personal may ever be in there."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.raw: list[str] = []

    def take(self, body: bytes) -> str:
        """Take an envelope; return the id of the event in it. Raises ValueError, OSError."""
        found = list(items_of(body))
        self.items += found
        self.raw += [str(item.payload) for item in found]
        return next((str(i.payload["event_id"]) for i in found if has_id(i)), "0" * 32)

    def of_type(self, type_: str) -> list[Any]:
        """The payloads of one kind: `event`, `transaction`, `check_in`."""
        return [item.payload for item in self.items if item.type == type_]


def has_id(item: Item) -> bool:
    """Whether an item is an event of its own."""
    return isinstance(item.payload, dict) and "event_id" in item.payload
