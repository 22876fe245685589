"""CloudEvents 1.0 over HTTP: the JSON of each event in a structured, binary or batched request.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers

from web.cloudevents.json_values import is_json, parse_json
from web.problems import Problem

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
MAX_BATCH = 1000  # events: all are published in one statement and one transaction

CHARSET = re.compile(r'charset\s*=\s*"?([^";\s]+)', re.IGNORECASE)
ACCEPTED_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})
ATTRIBUTE_HEADER = re.compile(r"ce-([a-z0-9]+)")
# In binary mode the body is the data, and Content-Type says of what kind; no header may do so too.
BODY_ATTRIBUTES = frozenset({"data", "datacontenttype"})
QUOTED = re.compile(r'"(.*)"', re.DOTALL)


def read_request(headers: Headers, body: bytes) -> list[Any]:
    """The events of a request, each as the JSON value that structured mode would send.

    Nothing of them is checked yet. Raises Problem 400, 413 or 415.
    """
    media = media_type(headers)
    if media == STRUCTURED:
        return [parse_json(body)]
    if media == BATCHED:
        return read_batch(body)
    if not any(name.startswith("ce-") for name in headers):
        raise Problem(415, f"Send {STRUCTURED}, {BATCHED}, or JSON with the headers ce-*.")
    return [read_binary_event(headers, media, body)]


def read_batch(body: bytes) -> list[Any]:
    events = parse_json(body)
    if not isinstance(events, list):
        raise Problem(400, "A batch is a JSON array of events.")
    if len(events) > MAX_BATCH:
        raise Problem(413, f"A batch may have at most {MAX_BATCH:,} events.")
    return events


def read_binary_event(headers: Headers, media: str, body: bytes) -> dict[str, Any]:
    """The event whose attributes are headers and whose data are the body."""
    if media and not is_json(media):
        raise Problem(415, "The data of an event must be JSON, by its Content-Type too.")
    event: dict[str, Any] = {}
    for name, value in headers.items():
        found = ATTRIBUTE_HEADER.fullmatch(name)
        if found is None or found[1] in BODY_ATTRIBUTES:
            continue
        if found[1] in event:
            raise Problem(400, f"The header {name} is there twice.")
        event[found[1]] = decode_attribute(name, value)
    return event | ({"data": parse_json(body)} if body else {})


def decode_attribute(name: str, value: str) -> str:
    """An attribute's value: percent-encoded UTF-8, perhaps in quotes."""
    quoted = QUOTED.fullmatch(value)
    plain = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value
    try:
        return unquote_to_bytes(plain.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise Problem(400, f"The header {name} is not percent-encoded UTF-8.") from None


def media_type(headers: Headers) -> str:
    """The Content-Type without its parameters. Raises Problem 415 for another charset."""
    essence, _, parameters = headers.get("content-type", "").partition(";")
    charset = CHARSET.search(parameters)
    if charset and charset[1].lower() not in ACCEPTED_CHARSETS:
        raise Problem(415, "JSON is UTF-8; no other charset is accepted.")
    return essence.strip().lower()
