"""The send log: which email, or workflow event, went to whom about what; each once, for ever."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Index, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base

KEY_LASTS = timedelta(hours=23)
"""Loops remembers an idempotency key for 24 hours: an hour less, for clocks and slow requests."""


class EmailRow(Base):
    """`tried_at`: since when it may have been sent; `held_at`: nobody knows, so it waits.

    `tries` counts the tries since `tried_at`: a single one may be taken back. `about` tells apart
    what one user may get by one template. No address is kept here.
    """

    __tablename__ = "emails"
    __table_args__ = (
        Index("emails_held", "held_at", postgresql_where=text("held_at IS NOT NULL")),
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    template: Mapped[str] = mapped_column(primary_key=True)
    about: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID]
    tried_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    held_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(server_default="0")


class EmailId(NamedTuple):
    """Which email: to a user, by a template, about a training, a month's limit, or nothing ('').

    An event that starts a workflow at Loops is one too; its template is `workflow {name}`.
    """

    user_id: UUID
    template: str
    about: str


class SendState(NamedTuple):
    """What is known of an email: sent for certain, or held since nobody can know.

    `by` is the event whose delivery sends it. `tried_at` is since when it may have been sent.
    """

    sent: bool
    held: bool
    by: UUID
    tried_at: datetime


class HeldEmail(NamedTuple):
    """An email of which nobody knows whether it was sent, and the event that it follows from."""

    user_id: UUID
    template: str
    about: str
    event_id: UUID
    tried_at: datetime
    held_at: datetime


# Note, before the call, that an email may be sent from now on. Once Loops has forgotten its key,
# a try without a known outcome is held instead of being repeated, and only an operator ends that: a
# migration holds younger tries too, whose key was another. A release that does not count leaves 0
# tries beside a time: that is one try at least.
BEGIN = text("""
    INSERT INTO insights.emails AS m (user_id, template, about, event_id, tried_at, tries)
    VALUES (:user_id, :template, :about, :event_id, clock_timestamp(), 1)
    ON CONFLICT (user_id, template, about) DO UPDATE SET
        tried_at = coalesce(m.tried_at, clock_timestamp()),
        tries = CASE WHEN m.tried_at IS NULL THEN 1 ELSE greatest(m.tries, 1) + 1 END,
        event_id = CASE WHEN m.tried_at IS NULL THEN excluded.event_id ELSE m.event_id END,
        held_at = CASE WHEN m.sent_at IS NULL THEN coalesce(m.held_at, CASE
                       WHEN m.tried_at < now() - :key_lasts THEN now() END) END
    RETURNING sent_at IS NOT NULL, held_at IS NOT NULL, event_id, tried_at
""")

# It was sent: from now on it is never sent again.
RECORD_SENT = text("""
    UPDATE insights.emails SET sent_at = now(), held_at = NULL
    WHERE user_id = :user_id AND template = :template AND about = :about
""")

# A try sent nothing, for certain: the next is a first one again, unless another was begun beside
# or after it. Since this may be repeated after a lost commit, the time names the try that it means.
FORGET_TRY = text("""
    UPDATE insights.emails SET tried_at = NULL, tries = 0
    WHERE user_id = :user_id AND template = :template AND about = :about AND sent_at IS NULL
      AND tries = 1 AND tried_at = :tried_at
""")

# What an operator found out at Loops about held emails.
RESOLVE_HELD = text("""
    UPDATE insights.emails
    SET held_at = NULL, tried_at = CASE WHEN :sent THEN tried_at END,
        tries = CASE WHEN :sent THEN tries ELSE 0 END,
        sent_at = CASE WHEN :sent THEN now() END
    WHERE held_at IS NOT NULL AND (CAST(:event AS uuid) IS NULL OR event_id = :event)
    RETURNING event_id
""")


def begin(on: Session, email: EmailId, event_id: UUID) -> SendState:
    """Note that an email may have been sent from now on, unless it was, or nobody can know."""
    given = email._asdict() | {"event_id": event_id, "key_lasts": KEY_LASTS}
    return SendState(*on.execute(BEGIN, given).one())


def is_sent(on: Session, email: EmailId) -> bool:
    """Whether an email was sent, for certain."""
    row = on.get(EmailRow, tuple(email))
    return row is not None and row.sent_at is not None


def record_sent(on: Session, email: EmailId) -> None:
    """Remember for ever that an email was sent."""
    on.execute(RECORD_SENT, email._asdict())


def forget_try(on: Session, email: EmailId, tried_at: datetime) -> None:
    """Take back the `begin` that returned `tried_at`, if no other try has begun since then.

    The caller knows that its try sent nothing.
    """
    on.execute(FORGET_TRY, email._asdict() | {"tried_at": tried_at})


def held(on: Session | Connection, at_most: int = 500) -> Sequence[HeldEmail]:
    """The emails of which nobody knows whether they were sent, the longest held first."""
    columns = (getattr(EmailRow, name) for name in HeldEmail._fields)
    asked = select(*columns).where(EmailRow.held_at.is_not(None)).order_by(EmailRow.held_at)
    return list(map(HeldEmail._make, on.execute(asked.limit(at_most))))


def resolve_held(on: Session | Connection, *, sent: bool, event: UUID | None) -> list[UUID]:
    """Write what an operator found out about held emails; return the events they follow from."""
    return list(on.scalars(RESOLVE_HELD, {"sent": sent, "event": event}))
