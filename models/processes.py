"""Worker processes that live: each renews its row, and is dead when it has not for 15 s."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.deliveries.lease import Executor

BEAT_EVERY = 5.0  # seconds: two beats may fail before a process is taken for dead
DEAD_AFTER = timedelta(seconds=15)


class ProcessRow(Base):
    """One worker process; `name` says on which host, under which number."""

    __tablename__ = "processes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())


# A sign of life. Asynchronous: one that a crash loses comes again in seconds.
BEAT = text("""
    INSERT INTO insights.processes AS p (id, name)
    SELECT :id, :name FROM (SELECT set_config('synchronous_commit', 'off', true)) AS quick
    ON CONFLICT (id) DO UPDATE SET seen_at = now()
""")

END = text("DELETE FROM insights.processes WHERE id = :id")


def beat(on: Executor, process: UUID, name: str) -> None:
    """Say that a process lives."""
    on.execute(BEAT, {"id": process, "name": name})


def end(on: Executor, process: UUID) -> None:
    """Forget a process that ends in order."""
    on.execute(END, {"id": process})
