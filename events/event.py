"""The base of every event: a past-tense, immutable fact in its envelope."""

import builtins
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Self, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from events.identity import named_id, uuid7

# Such ids become parts of file names and Redis keys: no slash, no blank.
Reference = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._:-]+$")
]
"""An id that the upstream app gave: of a data set, a training, a model."""

Text = Annotated[str, StringConstraints(max_length=500)]
Trace = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
]
"""A `traceparent` header (https://www.w3.org/TR/trace-context/)."""

Followed = TypeVar("Followed", bound="Event")


def this_clock() -> datetime:
    """Now by the clock of this machine, which may be wrong."""
    return datetime.now(UTC)


class Event(BaseModel):
    """Subclass it once per type: `type` is its name on the wire, the fields below its envelope.

    Fields that a subclass adds are its data. `id` identifies the fact: publishing an id twice
    is publishing it once. Events of a type that `is_kept` are never pruned. A type that
    `is_internal` is published by the product itself and refused over HTTP.
    """

    # A field that a publisher misspelt must not vanish; JSON has no NaN and no infinity.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    type: ClassVar[str]
    version: ClassVar[int] = 1
    is_kept: ClassVar[bool] = False
    is_internal: ClassVar[bool] = False

    id: UUID = Field(default_factory=uuid7)
    occurred_at: AwareDatetime = Field(default_factory=this_clock)
    source: Annotated[str, StringConstraints(min_length=1, max_length=200)] = "insights"
    user_id: UUID | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    traceparent: Trace | None = None

    @property
    def data(self) -> dict[str, Any]:
        """What the type adds to the envelope, as JSON values."""
        return self.model_dump(mode="json", exclude=set(ENVELOPE), exclude_none=True)

    def follow(self, follower: builtins.type[Followed], *name: object, **data: Any) -> Followed:
        """The event that this one caused, in the same correlation and trace.

        Its id is made of this event's id, its type and `name`, so that handling this event again
        publishes nothing new. Two followers of one type need a `name` each.
        """
        return follower(
            **{"user_id": self.user_id, "source": "insights"} | data,
            id=named_id(self.id, follower.type, *name),
            correlation_id=self.correlation_id or self.id,
            causation_id=self.id,
            traceparent=self.traceparent,
        )

    @classmethod
    def restore(cls, bodies: Sequence[str]) -> list[Self]:
        """Events as they were stored, each the JSON of its data and envelope in one object.

        Fields that a newer publisher added are ignored. Raises ValidationError when an event does
        not fit the type.
        """
        # One JSON array, validated at once: several times faster than event by event.
        events: list[Self] = _many(cls).validate_json(f"[{','.join(bodies)}]", extra="ignore")
        return events


@cache
def _many(cls: type[Event]) -> TypeAdapter[Any]:
    return TypeAdapter(list[cls])  # type: ignore[valid-type]


class UserEvent(Event):
    """An event that always belongs to a user."""

    user_id: UUID


# Whatever else an event has is the data of its type.
ENVELOPE = frozenset(Event.model_fields)
