"""What users did for the first time, and Loops was told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base


class MilestoneRow(Base):
    """One user's first deed of a kind."""

    __tablename__ = "milestones"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    reached_at: Mapped[datetime] = mapped_column(server_default=func.now())


IS_REACHED = text("SELECT FROM insights.milestones WHERE user_id = :user AND name = :name")
REACH = text("""
    INSERT INTO insights.milestones (user_id, name) VALUES (:user, :name) ON CONFLICT DO NOTHING
""")


def is_reached(on: Session, user_id: UUID, name: str) -> bool:
    """Whether a user has done this before."""
    return on.execute(IS_REACHED, {"user": user_id, "name": name}).first() is not None


def reach(on: Session, user_id: UUID, name: str) -> None:
    """Note that a user has done this."""
    on.execute(REACH, {"user": user_id, "name": name})
