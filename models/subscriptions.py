"""Which handler follows which type of event: what the fan-out reads."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, ForeignKey, Text, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

Subscription = tuple[str, str]
"""Event type and handler."""
After = Mapping[str, Sequence[str]]
"""Handler → those that must be done with an event first."""


class SubscriptionRow(Base):
    """One pair of event type and handler.

    `insights migrate` adds those of its code; only `insights handlers retire` removes any, since
    what one release does not know another may follow. `after` names the handlers that come first,
    where they follow the type too.
    """

    __tablename__ = "subscriptions"

    event_type: Mapped[str] = mapped_column(
        ForeignKey("insights.event_types.type", ondelete="CASCADE"), primary_key=True
    )
    handler: Mapped[str] = mapped_column(
        ForeignKey("insights.handlers.name", ondelete="CASCADE"), primary_key=True
    )
    after: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")


# Subscribe handlers to types. Who is subscribed already gets this code's order.
SUBSCRIBE = text("""
    INSERT INTO insights.subscriptions AS s (event_type, handler, after)
    SELECT o.type, o.handler, string_to_array(o.after, ',')
    FROM unnest(CAST(:types AS text[]), CAST(:handlers AS text[]), CAST(:afters AS text[]))
        AS o (type, handler, after)
    ON CONFLICT (event_type, handler) DO UPDATE SET after = excluded.after
    WHERE s.after <> excluded.after
""")

# End one subscription of a handler, or all; what is owed already stays owed.
UNSUBSCRIBE = text("""
    DELETE FROM insights.subscriptions
    WHERE handler = :handler AND (CAST(:type AS text) IS NULL OR event_type = :type)
""")


def subscribe(on: Connection, wanted: Iterable[Subscription], after: After) -> None:
    """Have these subscriptions; others stay."""
    pairs = list(wanted)
    given = {
        "types": [type_ for type_, _ in pairs],
        "handlers": [name for _, name in pairs],
        "afters": [",".join(after.get(name, ())) for _, name in pairs],
    }
    on.execute(SUBSCRIBE, given)


def order(on: Connection) -> dict[str, set[str]]:
    """Handler → those that come before it, as the database has it for all releases."""
    found: dict[str, set[str]] = {}
    for name, others in on.execute(select(SubscriptionRow.handler, SubscriptionRow.after)):
        found.setdefault(name, set()).update(others)
    return found


def unsubscribe(on: Connection, handler: str, type_: str | None = None) -> None:
    """End a handler's subscription to a type, or all that it has."""
    on.execute(UNSUBSCRIBE, {"handler": handler, "type": type_})


def subscriptions(on: Connection) -> set[Subscription]:
    """All pairs that the database knows."""
    rows = on.execute(select(SubscriptionRow.event_type, SubscriptionRow.handler))
    return {(type_, handler) for type_, handler in rows}
