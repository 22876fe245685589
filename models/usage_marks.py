"""Which marks of a limit users passed: once per user, resource and month, so warned of once."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class UsageMarkRow(Base):
    """A limit's mark ('80', '100', 'exceeded') that a user passed in a month, once."""

    __tablename__ = "usage_marks"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(primary_key=True)


class ReachedMark(NamedTuple):
    """A mark ('80', '100' or 'exceeded') of a limit that a user just passed in a month."""

    user_id: UUID
    resource: str
    month: str
    mark: str
    used: int
    limit: int
