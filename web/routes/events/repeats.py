"""Tells an event that is published again from another one whose id is taken."""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.orm import Session

from events import Event
from models.events import StoredEvent, is_erased, read
from web.problems import FieldError


def stored_repeats(
    session: Session, events: Sequence[Event], new: set[UUID]
) -> dict[UUID, StoredEvent]:
    """What is stored under the ids of those events that are not new."""
    repeats = [event.id for event in events if event.id not in new]
    return {row.id: row for row in read(session, repeats)} if repeats else {}


def conflicting_ids(
    events: Sequence[Event], stored: Mapping[UUID, StoredEvent]
) -> Iterator[FieldError]:
    """Each event that differs from the one that is stored under its id."""
    for index, event in enumerate(events):
        difference = difference_between(stored[event.id], event) if event.id in stored else None
        if difference:
            yield FieldError(index=index, field="id", detail=f"belongs to an event {difference}")


def difference_between(stored: StoredEvent, event: Event) -> str | None:
    """How a stored event differs from one of the same id; None if they are the same.

    Source, type, user and data decide. The rest may differ: senders set the time and the trace
    anew with each try. Of an erased event, data and perhaps the user are gone and decide nothing.
    """
    envelope = json.loads(stored.body)
    if (stored.type, envelope["source"]) != (event.type, event.source):
        return "of another source or type"
    erased = is_erased(envelope)
    user_id = envelope["user_id"] and UUID(envelope["user_id"])
    if user_id != event.user_id and not (erased and user_id is None):
        return "of another user"
    return None if erased or has_same_data(stored, event) else "with other data"


def has_same_data(stored: StoredEvent, event: Event) -> bool:
    """Whether the data are the same once both have the form of the event's class.

    What is stored may lack a default, which SQL publishers leave out, and those who published
    before the field was added.
    """
    try:
        (known,) = type(event).restore([stored.body])
    except ValidationError:
        return False
    return json_values(known) == json_values(event)


def json_values(event: Event) -> dict[str, Any]:
    """An event's data as JSON values: 5 and 5.0 are one number, and true is none."""
    text = json.dumps(event.data)
    values: dict[str, Any] = json.loads(text, parse_int=number, parse_float=number)
    return values


def number(text: str) -> tuple[str, Decimal]:
    """A number as a value that equals no true or false, unlike Python's 1 and 0."""
    return "number", Decimal(text)
