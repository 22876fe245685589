"""How many deliveries are done, at any moment."""

from collections.abc import Iterable

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

DONE = text("""
    SELECT coalesce(sum(e.number), 0) - (
        SELECT count(*) FROM insights.deliveries d WHERE d.handler = ANY (:handlers))
    FROM (SELECT type, count(*) AS number FROM insights.events GROUP BY type) AS e
    JOIN insights.subscriptions s ON s.event_type = e.type
    WHERE s.handler = ANY (:handlers)
""")


def done(engine: Engine, handlers: Iterable[str]) -> int | None:
    """How many deliveries of these handlers are done; None when the database is away."""
    try:
        with engine.connect() as connection:
            return int(connection.scalar(DONE, {"handlers": list(handlers)}) or 0)
    except DBAPIError:
        return None
