"""What is owed, by whom, and who follows what."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class DeliveryRow(Base):
    """One handler's debt to one event; the row is gone when the work is done.

    `due_at` is schedule, back-off and lease in one. `leases` counts hand-outs and is the fencing
    token. `leased` says that the last hand-out has had no outcome yet. `setbacks` counts how often
    the handler's provider was out of order for this one, while it answered others.
    """

    __tablename__ = "deliveries"

    handler: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    leases: Mapped[int] = mapped_column(server_default="0")
    attempts: Mapped[int] = mapped_column(server_default="0")
    setbacks: Mapped[int] = mapped_column(server_default="0")
    leased: Mapped[bool] = mapped_column(server_default="false")
    died_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


class HandlerRow(Base):
    """One handler: paused by an operator, or resting until `resume_at` for its provider."""

    __tablename__ = "handlers"

    name: Mapped[str] = mapped_column(primary_key=True)
    paused: Mapped[bool] = mapped_column(server_default="false")
    failures_in_row: Mapped[int] = mapped_column(server_default="0")
    resume_at: Mapped[datetime | None]


class SubscriptionRow(Base):
    """Which handler follows which type of event. `insights migrate` writes it."""

    __tablename__ = "subscriptions"

    event_type: Mapped[str] = mapped_column(primary_key=True)
    handler: Mapped[str] = mapped_column(primary_key=True)
