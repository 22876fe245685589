"""The rows of both releases' handlers, in tables without a key: a repeated or lost one is seen."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from events import Event
from models import arrays

INSERT_NOTES = text("INSERT INTO chaos.notes (event_id) SELECT unnest(CAST(:ids AS uuid[]))")
INSERT_NEXT = text("INSERT INTO chaos.next_notes (event_id) SELECT unnest(CAST(:ids AS uuid[]))")


def insert_note_rows(events: Sequence[Event], session: Session) -> None:
    """One row per event, of the handler that both releases have."""
    session.execute(INSERT_NOTES, {"ids": arrays.uuids(event.id for event in events)})


def insert_next_rows(events: Sequence[Event], session: Session) -> None:
    """One row per event, of the handler that only the next release has."""
    session.execute(INSERT_NEXT, {"ids": arrays.uuids(event.id for event in events)})
