"""From what came in to events of the catalogue, or to a list of all that is wrong with it."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from errors import InsightsError
from events import Catalogue, Event, named_id
from events.event import ENVELOPE
from web.cloudevents.envelope import CloudEvent, unstorable
from web.problems import Problem, Wrong, wrong_field

OUR_OWN = frozenset({"events.inactivity", "events.schedule", "events.usage"})
"""Modules whose types only the product itself publishes: of time, absence and limits."""

CANONICAL_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MOST_ERRORS = 100


class Unfit(InsightsError):
    """Raised when something is no event of the catalogue; carries everything that is wrong."""

    def __init__(self, wrong: Sequence[Wrong]) -> None:
        super().__init__(f"{len(wrong)} things are wrong.")
        self.wrong = wrong


def understood(given: Sequence[Any], catalogue: Catalogue) -> list[Event]:
    """The events, in the order given. Raises Problem 403 or 422 if a single one does not fit."""
    events: list[Event] = []
    wrong: list[Wrong] = []
    for index, each in enumerate(given):
        try:
            events.append(event_from(each, index, catalogue))
        except Unfit as unfit:
            wrong += unfit.wrong
    wrong += repeated(events) if not wrong else []
    if wrong:
        detail = "Nothing was published: `errors` names what is wrong, by event and field."
        raise Problem(422, detail, wrong[:MOST_ERRORS])
    return events


def event_from(given: Any, index: int, catalogue: Catalogue) -> Event:
    """One event. Raises Unfit; Problem 403 for a type that is ours."""
    try:
        envelope = CloudEvent.model_validate(given)
    except ValidationError as error:
        raise Unfit([wrong_field(each, index=index) for each in error.errors()]) from None
    class_ = class_of(envelope.type, index, catalogue)
    data = envelope.data or {}
    wrong = [*unstorable(data), *misplaced(data)]
    if wrong:
        raise Unfit([Wrong(index=index, field=f, detail=d) for f, d in wrong])
    fields = data | attributes(envelope, index)
    try:
        return class_.model_validate_json(json.dumps(fields), strict=True)
    except ValidationError as error:
        raise Unfit([field_of(wrong_field(each, index=index)) for each in error.errors()]) from None


def class_of(type_: str, index: int, catalogue: Catalogue) -> type[Event]:
    """The class of a type that others may publish."""
    if type_ not in catalogue:
        detail = "is not in the catalogue; /docs lists all types"
        raise Unfit([Wrong(index=index, field="type", detail=detail)])
    class_ = catalogue[type_]
    if class_.__module__ in OUR_OWN:
        wrong = Wrong(index=index, field="type", detail="is published by the product itself")
        raise Problem(403, "Nothing was published: events of this type are not taken.", [wrong])
    return class_


def attributes(envelope: CloudEvent, index: int) -> dict[str, Any]:
    """The fields of an event's envelope that these attributes tell, as JSON values."""
    told = {
        "id": event_id(envelope.source, envelope.id),
        "source": envelope.source,
        "occurred_at": envelope.time and envelope.time.isoformat(),
        "user_id": envelope.userid or user_in(envelope.subject, index),
        "correlation_id": envelope.correlationid,
        "causation_id": envelope.causationid,
        "traceparent": envelope.traceparent,
    }
    return {name: str(value) for name, value in told.items() if value is not None}


def event_id(source: str, id_: str) -> UUID:
    """A UUID in its usual form is the id itself, else the id is made of the two for ever.

    Two sources that use one UUID would thus publish one event; `publish_once` refuses that.
    """
    return UUID(id_) if CANONICAL_UUID.fullmatch(id_) else named_id(source, id_)


def user_in(subject: str | None, index: int) -> UUID | None:
    """The user whom a subject names."""
    if subject is None:
        return None
    if not CANONICAL_UUID.fullmatch(subject):
        detail = "must be the user's UUID, unless the attribute `userid` tells it"
        raise Unfit([Wrong(index=index, field="subject", detail=detail)])
    return UUID(subject)


def misplaced(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields of the envelope that stand in the data, where they would overwrite it."""
    for name in sorted(ENVELOPE & data.keys()):
        yield f"data.{name}", "is told by the event's attributes, not by its data"


def field_of(wrong: Wrong) -> Wrong:
    """The same, with the name that the field has in a CloudEvent."""
    if wrong.field == "user_id":
        return wrong.model_copy(update={"field": "subject", "detail": "must tell the user's UUID"})
    return wrong.model_copy(update={"field": f"data.{wrong.field}"})


def repeated(events: Sequence[Event]) -> Iterator[Wrong]:
    """Ids that are in one batch twice."""
    first: dict[UUID, int] = {}
    for index, event in enumerate(events):
        if first.setdefault(event.id, index) != index:
            detail = f"is also the id of event {first[event.id]} of this batch"
            yield Wrong(index=index, field="id", detail=detail)
