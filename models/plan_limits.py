"""What each plan allows: the one place where plan limits stand."""

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class PlanLimitRow(Base):
    """What a plan allows of a resource, in a month but for data sets; null is unlimited.

    Migration 0002 filled the table from the price list; the SQL functions `check_limit` and
    `mark_usage` read it.
    """

    __tablename__ = "plan_limits"

    plan: Mapped[str] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(primary_key=True)
    limit: Mapped[int | None]
