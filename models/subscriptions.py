"""Which handler follows which type of event: what the fan-out reads."""

from collections.abc import Iterable

from sqlalchemy import Connection, ForeignKey, select, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

Subscription = tuple[str, str]
"""Event type and handler."""


class SubscriptionRow(Base):
    """One pair of event type and handler.

    `insights migrate` adds those of its code; only `insights handlers retire` removes any, since
    what one release does not know another may follow.
    """

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

# End one subscription of a handler, or all; what is owed already stays owed.
UNSUBSCRIBE = text("""
    DELETE FROM insights.subscriptions
    WHERE handler = :handler AND (CAST(:type AS text) IS NULL OR event_type = :type)
""")


def subscribe(on: Connection, wanted: Iterable[Subscription]) -> None:
    """Have these subscriptions; those that are there stay."""
    pairs = list(wanted)
    given = {"types": [type_ for type_, _ in pairs], "handlers": [name for _, name in pairs]}
    on.execute(SUBSCRIBE, given)


def unsubscribe(on: Connection, handler: str, type_: str | None = None) -> None:
    """End a handler's subscription to a type, or all that it has."""
    on.execute(UNSUBSCRIBE, {"handler": handler, "type": type_})


def subscriptions(on: Connection) -> set[Subscription]:
    """All pairs that the database knows."""
    rows = on.execute(select(SubscriptionRow.event_type, SubscriptionRow.handler))
    return {(type_, handler) for type_, handler in rows}
