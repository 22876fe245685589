"""`POST /newsletter`: anybody may ask for the newsletter, without a key, at the usual limit."""

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from events import NewsletterSubscribed, named_id, publish
from events.users import Email
from web.dependencies import Injected

router = APIRouter()


class Subscription(BaseModel):
    """Who wants the newsletter."""

    model_config = ConfigDict(extra="forbid")

    email: Email


class Thanks(BaseModel):
    """The same for everybody, known or not."""

    status: Literal["accepted"] = "accepted"


@router.post("/newsletter", status_code=202, tags=["newsletter"])
def subscribe(body: Subscription, door: Injected) -> Thanks:
    """Take down an address for the newsletter. Asking twice on a day is asking once."""
    now = datetime.now(UTC)
    id_ = named_id("newsletter", body.email, now.date())
    event = NewsletterSubscribed(id=id_, email=body.email, occurred_at=now, source="newsletter")
    with door.sessions.begin() as session:
        publish(session, event)
    return Thanks()
