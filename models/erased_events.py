"""Erases what is personal in stored events, as each type of event says."""

from collections.abc import Iterable
from typing import cast
from uuid import UUID

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from models import arrays

# Erase what is personal in all events of some users, and in events of no user that hold one of
# their addresses. Each type says which fields are personal, and what those become that it
# requires. Rows are locked in the order of ids, so that two that erase the same wait, not deadlock.
ERASE = text("""
    WITH personal AS MATERIALIZED (
        SELECT t.type, jsonb_strip_nulls(t.schema -> 'x-erased') AS blanks,
               ARRAY(SELECT jsonb_object_keys(t.schema -> 'x-erased')) AS fields
        FROM insights.event_types t WHERE t.schema -> 'x-erased' <> '{}'
    ), theirs AS MATERIALIZED (
        SELECT e.id, e.data, p.fields, p.blanks
        FROM personal p JOIN insights.events e ON e.type = p.type
        WHERE e.user_id = ANY (CAST(:users AS uuid[]))
    ), addresses AS MATERIALIZED (
        SELECT lower(a.address) AS address FROM unnest(CAST(:addresses AS text[])) AS a (address)
        UNION
        SELECT lower(v.value #>> '{}') FROM theirs t CROSS JOIN unnest(t.fields) AS f (name)
        CROSS JOIN jsonb_path_query(t.data -> f.name, '$.** ? (@.type() == "string")') AS v (value)
        WHERE v.value #>> '{}' LIKE '%@%'
    ), found AS (
        SELECT t.id, t.fields, t.blanks FROM theirs t
        UNION ALL
        SELECT e.id, p.fields, p.blanks FROM personal p JOIN insights.events e ON e.type = p.type
        WHERE e.user_id IS NULL AND EXISTS (
            SELECT FROM unnest(p.fields) AS f (name)
            CROSS JOIN jsonb_path_query(e.data -> f.name, '$.** ? (@.type() == "string")')
                AS v (value)
            JOIN addresses a ON a.address = lower(v.value #>> '{}'))
    ), locked AS MATERIALIZED (
        SELECT e.id, (e.data - f.fields) || f.blanks || '{"erased": true}' AS data
        FROM found f JOIN insights.events e ON e.id = f.id
        WHERE jsonb_exists_any(e.data, f.fields)
        ORDER BY e.id FOR UPDATE OF e
    )
    UPDATE insights.events e SET data = l.data FROM locked l
    WHERE e.id = l.id AND e.data <> l.data
""")


def erase(on: Session, users: Iterable[UUID], addresses: Iterable[str] = ()) -> int:
    """Erase what is personal in events of these users; return in how many events.

    Their addresses, and the `addresses`, are erased in events of no user too.
    """
    given = {"users": arrays.uuids(users), "addresses": arrays.texts(addresses)}
    return cast("CursorResult[None]", on.execute(ERASE, given)).rowcount
