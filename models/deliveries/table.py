"""The table of what handlers owe, and the states that a delivery can be in."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class DeliveryState(StrEnum):
    """The values of `state` in the view `insights.delivery_states`, which computes it.

    Leased: a worker was given it, and its lease still runs. Waiting: it is due later.
    """

    DUE = "due"
    LEASED = "leased"
    WAITING = "waiting"
    DEAD = "dead"


class DeliveryRow(Base):
    """One handler's debt to one event; the row is deleted when the work is done.

    `due_at` is schedule, back-off and lease in one. `leases` counts how often it was leased and is
    the fencing token. `leased` says that the newest lease has had no outcome yet. `attempts` counts
    the failures that the handler itself earned. `setbacks` counts how often the handler's provider
    failed for this delivery while it answered others.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        # By handler first: a million rows of a slow handler never stand in another's way.
        Index("deliveries_due", "handler", "due_at", postgresql_where=text("died_at IS NULL")),
        Index(
            "deliveries_dead", "handler", "died_at", postgresql_where=text("died_at IS NOT NULL")
        ),
        {
            # Each row is updated a few times and deleted within seconds: free space in each page
            # keeps updates in place, and vacuum runs by number of dead rows, not by share.
            "postgresql_with": {
                "fillfactor": 70,
                "autovacuum_vacuum_scale_factor": 0.0,
                "autovacuum_vacuum_threshold": 20000,
                "autovacuum_analyze_scale_factor": 0.0,
                "autovacuum_analyze_threshold": 50000,
                "autovacuum_vacuum_cost_delay": 0,
            }
        },
    )

    handler: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    leases: Mapped[int] = mapped_column(server_default="0")
    attempts: Mapped[int] = mapped_column(server_default="0")
    setbacks: Mapped[int] = mapped_column(server_default="0")
    leased: Mapped[bool] = mapped_column(server_default="false")
    died_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
