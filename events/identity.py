"""Ids of events: new ones in order of time, and ones made of a name, so that twice is once."""

import re
import secrets
import time
from uuid import UUID, uuid5

# Any UUID would do, but it must never change: stored ids and keys at providers are made of it.
NAMESPACE = UUID("8c1e5d5a-6a53-5a0f-9b7e-1d7a5f0c2b11")

# The text form of RFC 9562. `UUID()` also takes braces, urn: and 32 digits without dashes, so that
# a publisher's own hash would be taken for a UUID.
CANONICAL_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def uuid7() -> UUID:
    """A new UUID version 7 (RFC 9562): 48 bits of milliseconds, then randomness."""
    value = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def event_id(source: str, given: str) -> UUID:
    """The id of the event that `source` calls `given`: a UUID as it is, else one made of the two.

    Two sources that use one UUID name one event.
    """
    return UUID(given) if CANONICAL_UUID.fullmatch(given) else named_id(source, given)


def named_id(*parts: object) -> UUID:
    """The same id for the same parts, for ever: the UUID version 5 of their joined text."""
    # Joined by a control character: ("a", "bc") and ("ab", "c") must differ.
    return uuid5(NAMESPACE, "\x1f".join(map(str, parts)))
