"""Which email went to whom about what, and what started their workflows: each once, for ever."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base

KEY_HOLDS = timedelta(hours=23)
"""Loops remembers an idempotency key for 24 hours: an hour less, for clocks and slow requests."""


class EmailRow(Base):
    """`tried_at`: since when it may have been sent; `held_at`: nobody knows, so it waits.

    No address is kept here.
    """

    __tablename__ = "emails"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    template: Mapped[str] = mapped_column(primary_key=True)
    about: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID]
    tried_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    held_at: Mapped[datetime | None]


class EmailId(NamedTuple):
    """Which email: to a user, by a template, about a training, a month's limit, or nothing ('').

    News of a user that starts a workflow is one too; its template is `workflow {name}`.
    """

    user_id: UUID
    template: str
    about: str


class SendState(NamedTuple):
    """What became of an email so far; `first`: no try before this one can have sent it.

    `by` is the event whose delivery sends it.
    """

    sent: bool
    held: bool
    first: bool
    by: UUID


THIS = "WHERE user_id = :user_id AND template = :template AND about = :about"

BEGIN = text("""
    INSERT INTO insights.emails AS m (user_id, template, about, event_id, tried_at)
    VALUES (:user_id, :template, :about, :event_id, now())
    ON CONFLICT (user_id, template, about) DO UPDATE SET
        tried_at = coalesce(m.tried_at, now()),
        event_id = CASE WHEN m.tried_at IS NULL THEN excluded.event_id ELSE m.event_id END,
        held_at = CASE WHEN m.sent_at IS NULL AND m.tried_at < now() - :key_holds
                       THEN coalesce(m.held_at, now()) END
    RETURNING sent_at IS NOT NULL, held_at IS NOT NULL, tried_at = now(), event_id
""")
SENT = text(f"UPDATE insights.emails SET sent_at = now(), held_at = NULL {THIS}")  # noqa: S608
IS_SENT = text(f"SELECT FROM insights.emails {THIS} AND sent_at IS NOT NULL")
NOT_SENT = text(f"UPDATE insights.emails SET tried_at = NULL {THIS} AND sent_at IS NULL")  # noqa: S608

HELD = text("""
    SELECT user_id, template, about, event_id, tried_at, held_at FROM insights.emails
    WHERE held_at IS NOT NULL ORDER BY held_at LIMIT :at_most
""")
SETTLE = text("""
    UPDATE insights.emails
    SET held_at = NULL, tried_at = CASE WHEN :sent THEN tried_at END,
        sent_at = CASE WHEN :sent THEN now() END
    WHERE held_at IS NOT NULL AND (CAST(:event AS uuid) IS NULL OR event_id = :event)
    RETURNING event_id
""")


def begin(on: Session, email: EmailId, event_id: UUID) -> SendState:
    """Note that an email may have been sent from now on, unless it was, or nobody can know."""
    given = email._asdict() | {"event_id": event_id, "key_holds": KEY_HOLDS}
    return SendState(*on.execute(BEGIN, given).one())


def is_sent(on: Session, email: EmailId) -> bool:
    """Whether an email went out, for certain."""
    return on.execute(IS_SENT, email._asdict()).first() is not None


def record_sent(on: Session, email: EmailId) -> None:
    """It went out: never again."""
    on.execute(SENT, email._asdict())


def forget_try(on: Session, email: EmailId) -> None:
    """The only try so far came to nothing, for certain."""
    on.execute(NOT_SENT, email._asdict())


def held(on: Any, at_most: int = 500) -> Sequence[Row[Any]]:
    """The emails of which nobody knows whether they were sent."""
    rows: Sequence[Row[Any]] = on.execute(HELD, {"at_most": at_most}).all()
    return rows


def settle(on: Any, *, sent: bool, event: UUID | None) -> list[UUID]:
    """What an operator found out about held emails; returns the events that they follow from."""
    return list(on.scalars(SETTLE, {"sent": sent, "event": event}))
