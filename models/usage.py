"""How much of their plan users used."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class UsageLimitsRow(Base):
    """One row per user, which the front end reads; `month_year` is `YYYY-MM` in UTC."""

    __tablename__ = "usage_limits"
    __table_args__ = {"schema": "public"}

    user_id: Mapped[UUID] = mapped_column(ForeignKey("public.profiles.id"), primary_key=True)
    datasets_count: Mapped[int] = mapped_column(server_default="0")
    trainings_this_month: Mapped[int] = mapped_column(server_default="0")
    predictions_this_month: Mapped[int] = mapped_column(server_default="0")
    month_year: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class UsageLedgerRow(Base):
    """One event that was counted: what it used, and in which month."""

    __tablename__ = "usage_ledger"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    resource: Mapped[str]
    amount: Mapped[int]
    month: Mapped[str]


class UsageMarkRow(Base):
    """A limit's mark ('80', '100', 'exceeded') that a user passed in a month, once."""

    __tablename__ = "usage_marks"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(primary_key=True)
