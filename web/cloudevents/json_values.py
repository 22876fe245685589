"""Reads JSON, and finds in it what PostgreSQL or another reader of JSON cannot keep."""

import math
import re
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from web.problems import MAX_FIELD_NAME, Problem

JSON_MEDIA_TYPE = re.compile(r"(application|text)/([\w.!#$&^-]+\+)?json")
# JavaScript's Number.MAX_SAFE_INTEGER: beyond it, readers that use doubles round.
MAX_INTEGER = 2**53 - 1


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON, with or without parameters."""
    return JSON_MEDIA_TYPE.fullmatch(media_type.partition(";")[0].strip().lower()) is not None


def parse_json(body: bytes) -> Any:
    """The JSON value of a body. Raises Problem 400, also for more than 200 levels."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Problem(400, f"The body is not JSON: {error}.") from None


def unstorable_values(value: object, path: str = "data") -> Iterator[tuple[str, str]]:
    """Each value that cannot be kept: the path of its field, and what is wrong with it."""
    match value:
        case str() if "\0" in value:
            yield path, "has a NUL character, which cannot be stored"
        case bool():  # Python's bool is an int too
            pass
        case int() if abs(value) > MAX_INTEGER:
            yield path, "is beyond 2^53, where JSON's numbers are no longer exact"
        case float() if not math.isfinite(value):
            yield path, "is too large a number"
        case dict():
            for key, each in value.items():
                yield from unstorable_values(key, path)
                yield from unstorable_values(each, below(path, key))
        case list():
            for index, each in enumerate(value):
                yield from unstorable_values(each, below(path, str(index)))


def below(path: str, part: str) -> str:
    """The path of a part of a field, cut short where keys are long."""
    return f"{path}.{part[:MAX_FIELD_NAME]}"[:MAX_FIELD_NAME]
