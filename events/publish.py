"""Publish: insert events in the caller's own transaction, and ring once it has committed."""

import json
import re
from collections.abc import Callable, Sequence
from operator import attrgetter
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.event import listen
from sqlalchemy.orm import Session, sessionmaker

from events.errors import Unstorable
from events.event import Event
from models import arrays

NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
RUNG = "insights.published"
TRACE = "insights.traceparent"

INSERT = text("""
    INSERT INTO insights.events
        (id, type, source, user_id, data, occurred_at, correlation_id, causation_id, traceparent)
    SELECT id, type, source, user_id, data, occurred_at, coalesce(correlation_id, id),
           causation_id, traceparent
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:sources AS text[]),
        CAST(:user_ids AS uuid[]), CAST(:data AS jsonb[]), CAST(:occurred_at AS timestamptz[]),
        CAST(:correlation_ids AS uuid[]), CAST(:causation_ids AS uuid[]),
        CAST(:traceparents AS text[])
    ) AS new (id, type, source, user_id, data, occurred_at,
              correlation_id, causation_id, traceparent)
    ON CONFLICT (id) DO NOTHING
    RETURNING id
""")


def publish(session: Session, *events: Event) -> set[UUID]:
    """Insert events, any number in one statement, in the transaction that `session` is in.

    The database writes what each handler owes in that same statement. Returns the ids that
    were new; the others had been published before, and nothing follows from them again.
    """
    if not events:
        return set()
    # In one order everywhere, so that two that publish the same events wait, not deadlock.
    trace = session.info[TRACE]() if TRACE in session.info else None
    new = set(session.scalars(INSERT, _columns(sorted(events, key=attrgetter("id")), trace)))
    if new:
        session.info[RUNG] = True
    return new


def ring_after_commit(sessions: "sessionmaker[Session]", ring: Callable[[], None]) -> None:
    """Have every session of the factory call `ring` after a commit that published something."""

    def committed(session: Session) -> None:
        if session.info.pop(RUNG, False):
            ring()

    def rolled_back(session: Session) -> None:
        session.info.pop(RUNG, None)

    listen(sessions, "after_commit", committed)
    listen(sessions, "after_rollback", rolled_back)


def stored(event: Event) -> str:
    """An event's data as JSON that PostgreSQL can store. Raises Unstorable."""
    try:
        text = json.dumps(event.data, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:
        raise Unstorable(event.type) from None
    if NUL.search(text) or "\0" in event.source:
        raise Unstorable(event.type)
    return text


def carry_trace(sessions: "sessionmaker[Session]", traceparent: Callable[[], str | None]) -> None:
    """Have events that belong to no trace yet go on in the one that is open when published."""
    sessions.configure(info={TRACE: traceparent})


def _columns(events: Sequence[Event], trace: str | None) -> dict[str, str]:
    return {
        "ids": arrays.uuids(event.id for event in events),
        "types": arrays.texts(event.type for event in events),
        "sources": arrays.texts(event.source for event in events),
        "user_ids": arrays.uuids(event.user_id for event in events),
        "data": arrays.texts(stored(event) for event in events),
        "occurred_at": arrays.plain(event.occurred_at for event in events),
        "correlation_ids": arrays.uuids(event.correlation_id for event in events),
        "causation_ids": arrays.uuids(event.causation_id for event in events),
        "traceparents": arrays.texts(event.traceparent or trace for event in events),
    }
