"""What a provider was sent, as far as it heeds it: ours and its SDK's can be compared."""

import gzip
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from tests.doubles import Doubles

HEEDED = {"authorization", "content-type", "idempotency-key"}


@dataclass(frozen=True)
class Wired:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


def take(doubles: Doubles, provider: str) -> list[Wired]:
    """What a provider was sent since the last time; its double remembers nothing of it."""
    sent = list(doubles.server.world.requests[provider])
    doubles.server.world.forget()
    return [
        Wired(
            each.method,
            each.path,
            dict(parse_qsl(each.query)),
            {name: value for name, value in each.headers.items() if name in HEEDED},
            decoded(each.body),
        )
        for each in sent
    ]


def decoded(body: bytes) -> Any:
    if not body:
        return None
    return json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)
