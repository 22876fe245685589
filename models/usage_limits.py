"""What users used of their plan: the counters that the front end reads."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, func, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base


class UsageLimitsRow(Base):
    """One row per user, which the front end reads; `month_year` is `YYYY-MM` in UTC.

    Data sets are a gauge; trainings and predictions count from 0 in each month. The row goes with
    the profile; what was used stays in the ledger, from which a new row goes on.
    """

    __tablename__ = "usage_limits"
    __table_args__ = {
        "schema": "public",
        # A busy user's row is updated many times a second: half of each page stays free for that.
        "postgresql_with": {"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.05},
    }

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("public.profiles.id", ondelete="CASCADE"), primary_key=True
    )
    datasets_count: Mapped[int] = mapped_column(BigInteger, server_default="0")
    trainings_this_month: Mapped[int] = mapped_column(BigInteger, server_default="0")
    predictions_this_month: Mapped[int] = mapped_column(BigInteger, server_default="0")
    month_year: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ResourceUse(NamedTuple):
    """How much of one resource was used; `limit` and `remaining` are None where unlimited.

    `resource` is None for a plan whose limits the database does not know.
    """

    plan: str
    month: str
    resource: str | None
    used: int | None
    limit: int | None
    remaining: int | None
    allowed: bool | None


# A user's usage beside the limits of their plan, in the order in which plans list resources.
OF_USER = text("""
    SELECT plan.name, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM'), l.resource,
           insights.used(:user, l.resource), l."limit", c.remaining, c.allowed
    FROM (SELECT coalesce((SELECT p.plan FROM public.profiles p WHERE p.id = :user), 'free')
         ) AS plan (name)
    LEFT JOIN (insights.plan_limits l CROSS JOIN LATERAL public.check_limit(:user, l.resource) c)
        ON l.plan = plan.name
    ORDER BY array_position(ARRAY['datasets', 'trainings', 'predictions'], l.resource)
""")


def usage_of(on: Session, user_id: UUID) -> list[ResourceUse]:
    """What a user used in the current month (UTC), a row per resource.

    Who has used nothing has no row of their own: an unknown user is one on the free plan.
    """
    return list(map(ResourceUse._make, on.execute(OF_USER, {"user": user_id})))
