"""The attributes that a CloudEvent must or may have here, and how its JSON must be."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from events.event import Trace
from web.cloudevents.binding import is_json
from web.problems import LONGEST_FIELD

CLOCKS_DIFFER = timedelta(minutes=5)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
GREATEST_INTEGER = 2**53 - 1


def timestamp(value: object) -> object:
    """Only what RFC 3339 allows: pydantic would also take a number."""
    if isinstance(value, str) and not RFC3339.fullmatch(value):
        raise PydanticCustomError("time", "must be a time like 2026-11-22T09:30:00Z, with its zone")
    if value is not None and not isinstance(value, str):
        raise PydanticCustomError("time", "must be a string")
    return value


def has_happened(value: datetime) -> datetime:
    """An event is past; a clock may be a little fast."""
    if value > datetime.now(UTC) + CLOCKS_DIFFER:
        raise PydanticCustomError("time", "lies more than 5 minutes in the future")
    if value < EARLIEST:
        raise PydanticCustomError("time", "lies before 1970")
    return value


def json_data(value: str | None) -> str | None:
    """Data of another kind than JSON are not understood."""
    if value is not None and not is_json(value):
        raise PydanticCustomError("media_type", "must be application/json")
    return value


def no_bytes(value: object) -> None:
    """Bytes cannot be the data of an event here."""
    if value is not None:
        raise PydanticCustomError("data_base64", "is not understood: send JSON as `data`")


Attribute = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]
Moment = Annotated[AwareDatetime, BeforeValidator(timestamp), AfterValidator(has_happened)]


class CloudEvent(BaseModel):
    """A CloudEvent. Extension attributes that are not named here are ignored."""

    model_config = ConfigDict(extra="ignore")

    specversion: Literal["1.0"]
    id: Attribute = Field(
        description="Unique within its source. A UUID becomes the id of the event itself; of "
        "anything else, one is made from source and id. Publishing it again changes nothing."
    )
    source: Attribute = Field(description="Who says so: a URI reference.", examples=["/platform"])
    type: Attribute = Field(description="What happened.", examples=["prediction.made"])
    subject: Attribute | None = Field(
        None, description="The user's UUID, unless the attribute `userid` tells it."
    )
    userid: UUID | None = Field(None, description="The user, where `subject` is something else.")
    time: Moment | None = Field(
        None, description="When it happened, since 1970 and not in the future; now, if left out."
    )
    datacontenttype: Annotated[Attribute, AfterValidator(json_data)] | None = Field(
        None, description="Some JSON.", json_schema_extra={"enum": ["application/json", None]}
    )
    dataschema: Attribute | None = None
    correlationid: UUID | None = Field(None, description="The story that the event belongs to.")
    causationid: UUID | None = Field(None, description="The event that caused this one.")
    traceparent: Trace | None = Field(None, description="W3C trace context.")
    data: dict[str, Any] | None = Field(None, description="The fields of the type.")
    data_base64: Annotated[None, BeforeValidator(no_bytes)] = None


def unstorable(value: object, path: str = "data") -> Iterator[tuple[str, str]]:
    """Where JSON holds what a database or another JSON reader cannot keep: field, sentence."""
    match value:
        case str() if "\0" in value:
            yield path, "has a NUL character, which cannot be stored"
        case bool():
            pass
        case int() if abs(value) > GREATEST_INTEGER:
            yield path, "is beyond 2^53, where JSON's numbers are no longer exact"
        case float() if not math.isfinite(value):
            yield path, "is too large a number"
        case dict():
            for key, each in value.items():
                yield from unstorable(key, path)
                yield from unstorable(each, below(path, key))
        case list():
            for index, each in enumerate(value):
                yield from unstorable(each, below(path, str(index)))


def below(path: str, part: str) -> str:
    """The name of a part of a field, cut short where keys are long."""
    return f"{path}.{part[:LONGEST_FIELD]}"[:LONGEST_FIELD]
