"""Parses Sentry's envelopes: a header line, then items, each a header line and a payload."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Item:
    """One item: its type, and its payload, decoded where it is JSON."""

    type: str
    payload: Any


def decompressed(body: bytes) -> bytes:
    """An envelope, which may come compressed. Raises OSError, EOFError, zlib.error."""
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


def items_of(envelope: bytes) -> Iterator[Item]:
    """The items of an uncompressed envelope. Raises ValueError, KeyError."""
    _header, _, rest = envelope.partition(b"\n")
    while rest.strip():
        line, _, rest = rest.lstrip(b"\n").partition(b"\n")
        header = json.loads(line)
        # The length is optional; without it a payload ends with its line.
        length = header.get("length")
        if length is None:
            payload, _, rest = rest.partition(b"\n")
        else:
            payload, rest = rest[:length], rest[length:]
        yield Item(header["type"], decoded(payload))


def decoded(payload: bytes) -> Any:
    """A payload as JSON, or its text."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode(errors="replace")
