"""Who the users are, as far as this product must know."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class ProfileRow(Base):
    """A user. On Supabase the platform's own table, to which the plan's columns were added."""

    __tablename__ = "profiles"
    __table_args__ = {"schema": "public"}

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    name: Mapped[str | None]
    created_at: Mapped[datetime | None]
    plan: Mapped[str] = mapped_column(server_default="free")
    subscription_id: Mapped[str | None]
    subscription_status: Mapped[str | None]
    stripe_customer_id: Mapped[str | None]


class ProfileNewsRow(Base):
    """When the newest news of each part of a profile happened, and which event told it."""

    __tablename__ = "profile_news"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    email_at: Mapped[datetime | None]
    email_by: Mapped[UUID | None]
    name_at: Mapped[datetime | None]
    name_by: Mapped[UUID | None]
    deleted_at: Mapped[datetime | None]
