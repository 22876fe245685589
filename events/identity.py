"""Ids of events: ordered in time, or made of a name, so that twice is once."""

import secrets
import time
from uuid import UUID, uuid5

NAMESPACE = UUID("8c1e5d5a-6a53-5a0f-9b7e-1d7a5f0c2b11")


def uuid7() -> UUID:
    """A new UUID version 7 (RFC 9562): 48 bits of milliseconds, then randomness."""
    value = time.time_ns() // 1_000_000 << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def named_id(*parts: object) -> UUID:
    """The same id for the same parts, for ever: the UUID version 5 of their joined text."""
    return uuid5(NAMESPACE, "\x1f".join(map(str, parts)))
