"""CloudEvents 1.0 over HTTP: what came in structured, binary or batched mode, not yet judged.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from pydantic_core import from_json
from starlette.datastructures import Headers

from web.problems import Problem

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
MOST_EVENTS = 1000

CHARSET = re.compile(r'charset\s*=\s*"?([^";\s]+)', re.IGNORECASE)
JSON_MEDIA_TYPE = re.compile(r"(application|text)/([\w.!#$&^-]+\+)?json")
UNDERSTOOD_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})
ATTRIBUTE_HEADER = re.compile(r"ce-([a-z0-9]+)")
BODY_ATTRIBUTES = frozenset({"data", "datacontenttype"})
QUOTED = re.compile(r'"(.*)"', re.DOTALL)


def events_in(headers: Headers, body: bytes) -> list[Any]:
    """The events of a request, each the JSON value that structured mode would send.

    Raises Problem 400, 413 or 415.
    """
    media = media_type(headers)
    if media == STRUCTURED:
        return [parsed(body)]
    if media == BATCHED:
        return batch_in(body)
    if not any(name.startswith("ce-") for name in headers):
        raise Problem(415, f"Send {STRUCTURED}, {BATCHED}, or JSON with the headers ce-*.")
    return [binary_event(headers, media, body)]


def batch_in(body: bytes) -> list[Any]:
    """The events of a batch."""
    events = parsed(body)
    if not isinstance(events, list):
        raise Problem(400, "A batch is a JSON array of events.")
    if len(events) > MOST_EVENTS:
        raise Problem(413, f"A batch may have at most {MOST_EVENTS:,} events.")
    return events


def binary_event(headers: Headers, media: str, body: bytes) -> dict[str, Any]:
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
        event[found[1]] = attribute(name, value)
    return event | ({"data": parsed(body)} if body else {})


def attribute(name: str, value: str) -> str:
    """An attribute's value: percent-encoded UTF-8, perhaps in quotes."""
    quoted = QUOTED.fullmatch(value)
    plain = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value
    try:
        return unquote_to_bytes(plain.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise Problem(400, f"The header {name} is not percent-encoded UTF-8.") from None


def media_type(headers: Headers) -> str:
    """The Content-Type without its parameters. Raises Problem 415 for a foreign charset."""
    essence, _, parameters = headers.get("content-type", "").partition(";")
    charset = CHARSET.search(parameters)
    if charset and charset[1].lower() not in UNDERSTOOD_CHARSETS:
        raise Problem(415, "JSON is UTF-8; no other charset is understood.")
    return essence.strip().lower()


def is_json(media: str) -> bool:
    """Whether a media type is one of JSON."""
    return JSON_MEDIA_TYPE.fullmatch(media.partition(";")[0].strip().lower()) is not None


def parsed(body: bytes) -> Any:
    """The JSON value of a body. Raises Problem 400, also for more than 200 levels."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Problem(400, f"The body is not JSON: {error}.") from None
