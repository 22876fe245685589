"""The table of what handlers owe, and the states that a delivery can be in."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, SmallInteger, func, literal_column, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class DeliveryState(StrEnum):
    """The values of `state` in the view `insights.delivery_states`, which computes it.

    Leased: claimed by a worker that calls a provider. Waiting: it is due later, or waits for
    another handler. What a worker has in hand in an open transaction is still due to all others.
    """

    DUE = "due"
    LEASED = "leased"
    WAITING = "waiting"
    DEAD = "dead"


class DeliveryRow(Base):
    """One handler's debt to one event; the row is deleted when the work is done.

    `handler` is `handlers.id`. `seq` is the order in which deliveries are due at once. `due_at` is
    schedule, back-off and lease in one; null means at once. `waits_for` are the handlers that must
    be done with the event first. `leases` counts claims and is the fencing token; `leased` says
    that the newest claim has had no outcome yet. `attempts` counts the failures that the handler
    itself earned. `setbacks` counts how often the delivery was put off though it may not be to
    blame; with each of them it goes in smaller company.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        # By handler first: a million rows of a slow handler never stand in another's way.
        Index(
            "deliveries_due",
            "handler",
            "seq",
            postgresql_where=text("died_at IS NULL AND due_at IS NULL AND waits_for IS NULL"),
        ),
        Index(
            "deliveries_due_later",
            "handler",
            func.least(literal_column("setbacks"), literal_column("4")),
            "due_at",
            postgresql_where=text("died_at IS NULL AND due_at IS NOT NULL AND waits_for IS NULL"),
        ),
        Index(
            "deliveries_dead", "handler", "died_at", postgresql_where=text("died_at IS NOT NULL")
        ),
        Index("deliveries_waiting", "seq", postgresql_where=text("waits_for IS NOT NULL")),
        {
            # Each row lives for seconds: vacuum runs by number of dead rows, not by share.
            "postgresql_with": {
                "autovacuum_vacuum_scale_factor": 0.0,
                "autovacuum_vacuum_threshold": 20000,
                "autovacuum_analyze_scale_factor": 0.0,
                "autovacuum_analyze_threshold": 50000,
                "autovacuum_vacuum_cost_delay": 0,
            }
        },
    )

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)  # by default the next of insights.delivery_seq
    due_at: Mapped[datetime | None]
    died_at: Mapped[datetime | None]
    leases: Mapped[int] = mapped_column(server_default="0")
    attempts: Mapped[int] = mapped_column(server_default="0")
    setbacks: Mapped[int] = mapped_column(server_default="0")
    handler: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    leased: Mapped[bool] = mapped_column(server_default="false")
    waits_for: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    last_error: Mapped[str | None]
