"""The data sets that count against plans: each once, by its id, while it is there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Computed, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class UsageDatasetRow(Base):
    """A data set of a user: it is there when its newest upload is newer than its newest deletion.

    `first_at` is its earliest upload, all times being `occurred_at`. Rows stay when a data set is
    deleted: an upload that comes late must not bring it back. Only `insights.count_usage` writes
    here; `change` is what its last write added to the user's count (-1, 0 or 1).
    """

    __tablename__ = "usage_datasets"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(primary_key=True)
    first_at: Mapped[datetime | None]
    uploaded_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    is_there: Mapped[bool | None] = mapped_column(
        Computed("insights.is_there(uploaded_at, deleted_at)", persisted=True)
    )
    change: Mapped[int] = mapped_column(SmallInteger, server_default="0")
