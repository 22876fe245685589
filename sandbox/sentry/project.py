"""One Sentry project: the items it was sent, and every envelope as it came."""

from typing import Any

from sandbox.sentry.envelope import Item, decompressed, items_of


class Project:
    """`envelopes` are whole requests as they came, most of them compressed, to save memory."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.envelopes: list[bytes] = []

    def add(self, body: bytes) -> str:
        """Keep an envelope; return the id of its event. Raises ValueError, OSError, KeyError."""
        envelope = decompressed(body)
        # Kept before it is parsed: also a malformed one may hold personal data.
        self.envelopes.append(body)
        found = list(items_of(envelope))
        self.items += found
        return next((str(i.payload["event_id"]) for i in found if has_event_id(i)), "0" * 32)

    def envelopes_as_text(self) -> list[str]:
        """Each envelope uncompressed, headers too: tests search them for personal data."""
        return [decompressed(body).decode(errors="replace") for body in self.envelopes]

    def of_type(self, type_: str) -> list[Any]:
        """The payloads of one item type: `event`, `transaction` or `check_in`."""
        return [item.payload for item in self.items if item.type == type_]


def has_event_id(item: Item) -> bool:
    return isinstance(item.payload, dict) and "event_id" in item.payload
