"""Which handler follows which type of event: what the fan-out reads."""

from collections.abc import Iterable

from sqlalchemy import Connection, ForeignKey, select, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

Subscription = tuple[str, str]
"""Event type and handler."""


class SubscriptionRow(Base):
    """One pair of event type and handler. `insights migrate` writes it from the code."""

    __tablename__ = "subscriptions"

    event_type: Mapped[str] = mapped_column(
        ForeignKey("insights.event_types.type", ondelete="CASCADE"), primary_key=True
    )
    handler: Mapped[str] = mapped_column(
        ForeignKey("insights.handlers.name", ondelete="CASCADE"), primary_key=True
    )


# Subscribe handlers to types, whoever is subscribed already.
SUBSCRIBE = text("""
    INSERT INTO insights.subscriptions (event_type, handler)
    SELECT * FROM unnest(CAST(:types AS text[]), CAST(:handlers AS text[]))
    ON CONFLICT DO NOTHING
""")

# End the subscriptions that the code no longer has; what is owed already stays owed.
UNSUBSCRIBE_OTHERS = text("""
    DELETE FROM insights.subscriptions s
    WHERE NOT EXISTS (
        SELECT FROM unnest(CAST(:types AS text[]), CAST(:handlers AS text[])) AS k (type, handler)
        WHERE k.type = s.event_type AND k.handler = s.handler)
""")


def replace(on: Connection, wanted: Iterable[Subscription]) -> None:
    """Make the subscriptions of the database those that are wanted."""
    pairs = list(wanted)
    given = {"types": [type_ for type_, _ in pairs], "handlers": [name for _, name in pairs]}
    on.execute(UNSUBSCRIBE_OTHERS, given)
    on.execute(SUBSCRIBE, given)


def subscriptions(on: Connection) -> set[Subscription]:
    """All pairs that the database knows."""
    rows = on.execute(select(SubscriptionRow.event_type, SubscriptionRow.handler))
    return {(type_, handler) for type_, handler in rows}
