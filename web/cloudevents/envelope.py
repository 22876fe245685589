"""The attributes that a CloudEvent must or may have here."""

import re
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
from web.cloudevents.json_values import is_json

CLOCK_TOLERANCE = timedelta(minutes=5)  # so far may a sender's clock be fast
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def require_rfc3339(value: object) -> object:
    """Only what RFC 3339 allows: pydantic would also take a number."""
    if isinstance(value, str) and not RFC3339.fullmatch(value):
        raise PydanticCustomError("time", "must be a time like 2026-11-22T09:30:00Z, with its zone")
    if value is not None and not isinstance(value, str):
        raise PydanticCustomError("time", "must be a string")
    return value


def require_past(value: datetime) -> datetime:
    """An event is past, but for the tolerance of clocks, and not before 1970."""
    if value > datetime.now(UTC) + CLOCK_TOLERANCE:
        raise PydanticCustomError("time", "lies more than 5 minutes in the future")
    if value < EARLIEST:
        raise PydanticCustomError("time", "lies before 1970")
    return value


def require_json(value: str | None) -> str | None:
    if value is not None and not is_json(value):
        raise PydanticCustomError("media_type", "must be application/json")
    return value


def refuse_bytes(value: object) -> None:
    if value is not None:
        raise PydanticCustomError("data_base64", "is not accepted: send JSON as `data`")


Attribute = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]
Time = Annotated[AwareDatetime, BeforeValidator(require_rfc3339), AfterValidator(require_past)]


class CloudEvent(BaseModel):
    """A CloudEvent. Extension attributes that are not named here are ignored."""

    model_config = ConfigDict(extra="ignore")

    specversion: Literal["1.0"]
    id: Attribute = Field(
        description="Unique within its source. A UUID becomes the id of the event itself; of "
        "anything else, one is made from source and id. Publishing it again changes nothing."
    )
    source: Attribute = Field(
        description="Who publishes it: a URI reference.", examples=["/platform"]
    )
    type: Attribute = Field(description="What happened.", examples=["prediction.made"])
    subject: Attribute | None = Field(
        None, description="The user's UUID, unless it is in the attribute `userid`."
    )
    userid: UUID | None = Field(None, description="The user, where `subject` is something else.")
    time: Time | None = Field(
        None, description="When it happened, since 1970 and not in the future; now, if left out."
    )
    datacontenttype: Annotated[Attribute, AfterValidator(require_json)] | None = Field(
        None,
        description="A media type of JSON.",
        json_schema_extra={"enum": ["application/json", None]},
    )
    dataschema: Attribute | None = None
    correlationid: UUID | None = Field(None, description="What a chain of events has in common.")
    causationid: UUID | None = Field(None, description="The event that caused this one.")
    traceparent: Trace | None = Field(None, description="W3C trace context.")
    data: dict[str, Any] | None = Field(None, description="The fields of the type.")
    data_base64: Annotated[None, BeforeValidator(refuse_bytes)] = None
