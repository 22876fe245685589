"""Publishes: inserts events in the caller's transaction, and rings once it has committed."""

import json
import re
from collections.abc import Callable
from operator import attrgetter
from uuid import UUID
from weakref import WeakSet

from sqlalchemy.event import listen
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from events.errors import TooFarAhead, Unstorable
from events.event import Event, this_clock
from models.events import NewEvent, insert

# `\u0000` after an even number of backslashes: an escaped NUL, which jsonb does not take.
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
# Keys of Session.info.
PUBLISHED_IN = "insights.published_in"  # the transactions and savepoints that published
TRACEPARENT = "insights.traceparent"


def publish(session: Session, *events: Event) -> set[UUID]:
    """Insert events, any number in one statement, in the transaction that `session` is in.

    The database writes a delivery per handler in that same statement. Returns the ids that were
    new; the others had been published before, and nothing follows from them again. Where an event
    was given no time and the clock of this machine is wrong, the database's counts. Raises
    Unstorable or TooFarAhead; then nothing was inserted.
    """
    if not events:
        return set()
    trace = session.info[TRACEPARENT]() if TRACEPARENT in session.info else None
    # In one order everywhere: two transactions that publish the same events wait, not deadlock.
    in_order = sorted(events, key=attrgetter("id"))
    rows = [new_event(event, trace) for event in in_order]
    new, ahead = insert(session, rows, sent_at=this_clock())
    if ahead:
        raise TooFarAhead(next(event.type for event in in_order if event.id in ahead))
    if new:
        ring_when_committed(session)
    return new


def ring_when_committed(session: Session) -> None:
    """Have the relay look once the transaction has committed: something is due in it."""
    if innermost := innermost_transaction(session):
        session.info.setdefault(PUBLISHED_IN, WeakSet()).add(innermost)


def ring_after_commit(sessions: "sessionmaker[Session]", ring: Callable[[], None]) -> None:
    """Have every session of the factory call `ring` after a commit that published events.

    What was published in a savepoint is rung for when the outermost transaction commits, and not
    at all where the savepoint, or one around it, was rolled back.
    """

    # SQLAlchemy calls it for savepoints too. What is rolled back or closed is never passed on.
    def committed(session: Session) -> None:
        published: WeakSet[SessionTransaction] = session.info.get(PUBLISHED_IN, WeakSet())
        ended = innermost_transaction(session)
        if ended is None or ended not in published:
            return
        published.discard(ended)
        if ended.parent is None:
            ring()
        else:
            published.add(ended.parent)

    listen(sessions, "after_commit", committed)


def innermost_transaction(session: Session) -> SessionTransaction | None:
    """The savepoint that a session is in, else its transaction."""
    return session.get_nested_transaction() or session.get_transaction()


def storable_json(event: Event) -> str:
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
    """Have events without a trace join the one that is open when they are published."""
    info = sessions.kw.get("info") or {}
    sessions.configure(info=info | {TRACEPARENT: traceparent})


def new_event(event: Event, trace: str | None) -> NewEvent:
    """An event as it is inserted; `trace` is that of the publisher, for one that has none."""
    return NewEvent(
        id=event.id,
        type=event.type,
        source=event.source,
        user_id=event.user_id,
        data=storable_json(event),
        occurred_at=event.occurred_at,
        is_time_given="occurred_at" in event.model_fields_set,
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        traceparent=event.traceparent or trace,
    )
