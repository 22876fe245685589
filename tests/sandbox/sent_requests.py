"""The requests that a double received, decoded, so that ours can be compared with an SDK's."""

import gzip
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from tests.doubles import Doubles

# The others, such as User-Agent, differ between HTTP clients and change nothing at the provider.
COMPARED_HEADERS = {"authorization", "content-type", "idempotency-key"}
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class SentRequest:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


def take_requests(doubles: Doubles, provider: str) -> list[SentRequest]:
    """The requests to a provider since the last call. Resets the doubles."""
    sent = list(doubles.requests(provider))
    doubles.reset()
    return [
        SentRequest(
            each.method,
            each.path,
            dict(parse_qsl(each.query)),
            {name: value for name, value in each.headers.items() if name in COMPARED_HEADERS},
            decoded(each.body),
        )
        for each in sent
    ]


def decoded(body: bytes) -> Any:
    if not body:
        return None
    return json.loads(gzip.decompress(body) if body.startswith(GZIP_MAGIC) else body)
