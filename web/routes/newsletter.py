"""`POST /newsletter`: subscribes an address, without an API key, at the usual rate limit."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from events import NewsletterSubscribed, named_id, publish
from events.users import Email
from models.server import database_time
from web.dependencies import Injected

router = APIRouter()


class Subscription(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email


class Acknowledgement(BaseModel):
    """The same whether the address is known or not, so that addresses cannot be probed."""

    status: Literal["accepted"] = "accepted"


@router.post("/newsletter", status_code=202, tags=["newsletter"])
def subscribe(body: Subscription, dependencies: Injected) -> Acknowledgement:
    """Subscribe an address to the newsletter. Asking twice on a day is asking once."""
    with dependencies.sessions.begin() as session:
        now = database_time(session)  # its transactions are in UTC, so that its day is UTC's
        id_ = named_id("newsletter", body.email, now.date())
        publish(
            session,
            NewsletterSubscribed(id=id_, email=body.email, occurred_at=now, source="newsletter"),
        )
    return Acknowledgement()
