"""Forget what a handler owes, where an operator decides that nobody is to do it."""

from typing import NamedTuple

from sqlalchemy import Connection, text

CHUNK = 10_000  # rows in a transaction: locks are held for a fraction of a second


class Debt(NamedTuple):
    """How many deliveries a handler owes, and how many of them are dead."""

    owed: int
    dead: int


# What a handler owes, to events of one type or to all.
COUNT = text("""
    SELECT count(*), count(d.died_at) FROM insights.deliveries d
    WHERE d.handler = (SELECT h.id FROM insights.handlers h WHERE h.name = :handler)
      AND (CAST(:type AS text) IS NULL OR EXISTS (
        SELECT FROM insights.events e WHERE e.id = d.event_id AND e.type = :type))
""")

# Delete some of it. What a worker has in hand outside is still done, but ends no debt.
FORGET = text("""
    DELETE FROM insights.deliveries f
    WHERE f.ctid = ANY (ARRAY(
        SELECT d.ctid FROM insights.deliveries d
        WHERE d.handler = (SELECT h.id FROM insights.handlers h WHERE h.name = :handler)
          AND (CAST(:type AS text) IS NULL OR EXISTS (
            SELECT FROM insights.events e WHERE e.id = d.event_id AND e.type = :type))
        LIMIT :chunk FOR UPDATE))
    RETURNING f.event_id
""")


def count_owed(on: Connection, handler: str, type_: str | None = None) -> Debt:
    """How much the handler owes, to events of one type or to all."""
    return Debt(*on.execute(COUNT, {"handler": handler, "type": type_}).one())


def forget(on: Connection, handler: str, type_: str | None = None) -> int:
    """Delete up to CHUNK deliveries of the handler; return how many."""
    given = {"handler": handler, "type": type_, "chunk": CHUNK}
    return len(on.execute(FORGET, given).all())
