"""Parses CloudEvents into events of the catalogue, or lists all that is wrong with them."""

import json
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from errors import InsightsError
from events import Catalogue, Event
from events.event import ENVELOPE
from events.identity import CANONICAL_UUID, event_id
from web.cloudevents.envelope import CloudEvent
from web.cloudevents.json_values import unstorable_values
from web.problems import FieldError, Problem, field_error

MAX_ERRORS = 100  # in one answer: a batch of 1,000 wrong events would make it a megabyte


class InvalidEvent(InsightsError):
    """Raised when a value is no event of the catalogue; carries everything that is wrong."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(f"{len(errors)} things are wrong.")
        self.errors = errors


def parse_events(values: Sequence[Any], catalogue: Catalogue) -> list[Event]:
    """The events, in the same order. Raises Problem 403 or 422 if a single one is invalid."""
    events: list[Event] = []
    errors: list[FieldError] = []
    for index, value in enumerate(values):
        try:
            events.append(parse_event(value, index, catalogue))
        except InvalidEvent as invalid:
            errors += invalid.errors
    errors += repeated_ids(events) if not errors else []
    if errors:
        detail = "Nothing was published: `errors` names what is wrong, by event and field."
        raise Problem(422, detail, errors[:MAX_ERRORS])
    return events


def parse_event(value: Any, index: int, catalogue: Catalogue) -> Event:
    """One event. Raises InvalidEvent, or Problem 403 for an internal type."""
    try:
        envelope = CloudEvent.model_validate(value)
    except ValidationError as error:
        raise InvalidEvent([field_error(each, index=index) for each in error.errors()]) from None
    class_ = publishable_class(envelope.type, index, catalogue)
    data = envelope.data or {}
    found = [*unstorable_values(data), *misplaced_fields(data)]
    if found:
        raise InvalidEvent([FieldError(index=index, field=f, detail=d) for f, d in found])
    fields = data | envelope_fields(envelope, index)
    try:
        return class_.model_validate_json(json.dumps(fields), strict=True)
    except ValidationError as error:
        errors = [as_cloud_event_field(field_error(each, index=index)) for each in error.errors()]
        raise InvalidEvent(errors) from None


def publishable_class(type_: str, index: int, catalogue: Catalogue) -> type[Event]:
    """The class of a type. Raises InvalidEvent if it is unknown, Problem 403 if internal."""
    if type_ not in catalogue:
        detail = "is not in the catalogue; /docs lists all types"
        raise InvalidEvent([FieldError(index=index, field="type", detail=detail)])
    class_ = catalogue[type_]
    if class_.is_internal:
        error = FieldError(index=index, field="type", detail="is published by the product itself")
        raise Problem(403, "Nothing was published: events of this type are refused.", [error])
    return class_


def envelope_fields(envelope: CloudEvent, index: int) -> dict[str, Any]:
    """The fields of an event's envelope that the attributes give, as JSON values."""
    fields = {
        "id": event_id(envelope.source, envelope.id),
        "source": envelope.source,
        "occurred_at": envelope.time and envelope.time.isoformat(),
        "user_id": envelope.userid or user_from(envelope.subject, index),
        "correlation_id": envelope.correlationid,
        "causation_id": envelope.causationid,
        "traceparent": envelope.traceparent,
    }
    return {name: str(value) for name, value in fields.items() if value is not None}


def user_from(subject: str | None, index: int) -> UUID | None:
    """The user whom a subject names. Raises InvalidEvent if it names something else."""
    if subject is None:
        return None
    if not CANONICAL_UUID.fullmatch(subject):
        detail = "must be the user's UUID, unless it is in the attribute `userid`"
        raise InvalidEvent([FieldError(index=index, field="subject", detail=detail)])
    return UUID(subject)


def misplaced_fields(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields of the envelope that stand in the data, where they would overwrite it."""
    for name in sorted(ENVELOPE & data.keys()):
        yield f"data.{name}", "belongs to the event's attributes, not to its data"


def as_cloud_event_field(error: FieldError) -> FieldError:
    """The same error, with the name that the field has in a CloudEvent."""
    if error.field == "user_id":
        return error.model_copy(update={"field": "subject", "detail": "must be the user's UUID"})
    return error.model_copy(update={"field": f"data.{error.field}"})


def repeated_ids(events: Sequence[Event]) -> Iterator[FieldError]:
    """Ids that are in one batch twice."""
    first: dict[UUID, int] = {}
    for index, event in enumerate(events):
        if first.setdefault(event.id, index) != index:
            detail = f"is also the id of event {first[event.id]} of this batch"
            yield FieldError(index=index, field="id", detail=detail)
