"""Which marks of a limit users passed: each once a month, so that they are warned of it once."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class UsageMarkRow(Base):
    """A limit's mark ('80', '100', 'exceeded') that a user passed in a month, once.

    After a change of plan the limit is another one, with marks of its own. It is 0 in rows of
    before migration 0007 of which nobody knows the limit.
    """

    __tablename__ = "usage_marks"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    limit: Mapped[int] = mapped_column(BigInteger, primary_key=True, server_default="0")
    mark: Mapped[str] = mapped_column(primary_key=True)


class ReachedMark(NamedTuple):
    """A mark ('80', '100' or 'exceeded') of a limit that a user just passed in a month."""

    user_id: UUID
    resource: str
    month: str
    mark: str
    used: int
    limit: int
