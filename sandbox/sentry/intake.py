"""What Sentry was sent, by kind, and every envelope as it came."""

from typing import Any

from sandbox.sentry.envelope import Item, items_of, plain


class Intake:
    """One project. `bodies` are whole envelopes as they came, most of them compressed."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.bodies: list[bytes] = []

    def take(self, body: bytes) -> str:
        """Take an envelope; return the id of the event in it. Raises ValueError, OSError."""
        envelope = plain(body)
        self.bodies.append(body)
        found = list(items_of(envelope))
        self.items += found
        return next((str(i.payload["event_id"]) for i in found if has_id(i)), "0" * 32)

    @property
    def raw(self) -> list[str]:
        """Each envelope as text, header and all: nothing personal may ever be in there."""
        return [plain(body).decode(errors="replace") for body in self.bodies]

    def of_type(self, type_: str) -> list[Any]:
        """The payloads of one kind: `event`, `transaction`, `check_in`."""
        return [item.payload for item in self.items if item.type == type_]


def has_id(item: Item) -> bool:
    """Whether an item is an event of its own."""
    return isinstance(item.payload, dict) and "event_id" in item.payload
