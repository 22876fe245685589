"""`POST /events`: publishes a request's events, all or none, and the same event once."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from events import Event, publish
from events.errors import TooFarAhead, Unstorable
from web.authentication import RequiresKey
from web.cloudevents.binding import read_request
from web.cloudevents.parsing import parse_events
from web.dependencies import Injected
from web.middleware.body_limit import WholeBody
from web.problems import Problem
from web.routes.events.repeats import conflicting_ids, stored_repeats

router = APIRouter()
CHECK_VIOLATION = "23514"  # SQLSTATE of the trigger that refuses unknown types


class Accepted(BaseModel):
    """The ids under which the events are stored, in the order of the request."""

    ids: list[UUID]


@router.post("/events", status_code=202, dependencies=[RequiresKey], tags=["events"])
def publish_events(request: Request, body: WholeBody, dependencies: Injected) -> Accepted:
    """Publish one CloudEvent, structured or binary, or a batch of up to 1,000.

    The answer comes after the commit: from then on every effect of the events is owed, and none
    will be lost. Without an answer, send the same again: an event whose `source` and `id` were
    published before is not published twice, and the answer is the same. If it has another user or
    other data than before, the answer is a 409, and nothing of the request is published.
    """
    events = parse_events(read_request(request.headers, body), dependencies.catalogue)
    with dependencies.sessions.begin() as session:
        publish_once(session, events)
    return Accepted(ids=[event.id for event in events])


def publish_once(session: Session, events: Sequence[Event]) -> None:
    """Publish the events that are new; the others must be the same as before.

    Raises Problem 409 where an id belongs to an event of another source, type or user, or with
    other data.
    """
    new = publish_new(session, events)
    # `publish` skips an id that is there, whatever it stands for; a sender that reused an id must
    # learn that its event was not published.
    stored = stored_repeats(session, events, new)
    errors = list(conflicting_ids(events, stored))
    if errors:
        raise Problem(409, "Nothing was published: an id is taken.", errors)
    # What stood in the way was pruned in this very moment: the event is new after all.
    if pruned := [event for event in events if event.id not in new | stored.keys()]:
        publish_once(session, pruned)


def publish_new(session: Session, events: Sequence[Event]) -> set[UUID]:
    """Publish what is new; return its ids. Raises Problem 422 or 503."""
    try:
        return publish(session, *events)
    except (Unstorable, TooFarAhead) as error:
        raise Problem(422, f"Nothing was published: {error}") from None
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != CHECK_VIOLATION:
            raise
        detail = "The database does not know this type of event yet: run `insights migrate`."
        raise Problem(503, detail, headers={"Retry-After": "5"}) from None
