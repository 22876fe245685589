"""What PostgreSQL says of a statement that it ran: which tables it scanned, and what it read."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, TextClause, text


def explain(
    connection: Connection, statement: TextClause, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Run a statement and return its plan, with the buffers that it touched."""
    asked = text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement.text}")
    (answer,) = connection.scalars(asked, given)
    (found,) = json.loads(answer) if isinstance(answer, str) else answer
    return dict(found["Plan"])


def buffers(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def scans(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each node of a plan that reads a table, and which table."""
    if "Relation Name" in plan:
        yield plan["Node Type"], plan["Relation Name"]
    for below in plan.get("Plans", []):
        yield from scans(below)
