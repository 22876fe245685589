"""What happened, and which types of it there are."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class EventRow(Base):
    """One event. Append-only: rows are never changed, only pruned when old and owed by nobody."""

    __tablename__ = "events"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str]
    source: Mapped[str]
    user_id: Mapped[UUID | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    correlation_id: Mapped[UUID | None]
    causation_id: Mapped[UUID | None]
    traceparent: Mapped[str | None]


class EventTypeRow(Base):
    """One type of the catalogue, for publishers that speak SQL. `insights migrate` writes it."""

    __tablename__ = "event_types"

    type: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    schema: Mapped[dict[str, Any]] = mapped_column(JSONB)
