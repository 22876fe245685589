"""Lists that Loops gives a page at a time, each with the cursor of the next."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import URL

from sandbox.loops.refusal import Refused

FEWEST, USUAL, MOST = 10, 20, 50


def page_of(rows: Sequence[Mapping[str, Any]], url: URL) -> dict[str, Any]:
    """The page that a request's address asks for. Raises Refused 400.

    A cursor is the id of the first row of its page.
    """
    asked = dict(parse_qsl(url.query))
    per_page, first = size_of(asked.get("perPage")), start_of(rows, asked.get("cursor"))
    page, rest = rows[first : first + per_page], rows[first + per_page :]
    cursor = rest[0]["id"] if rest else None
    pagination = {
        "totalResults": len(rows),
        "returnedResults": len(page),
        "perPage": per_page,
        "totalPages": math.ceil(len(rows) / per_page),
        "nextCursor": cursor,
        "nextPage": str(url.include_query_params(cursor=cursor)) if cursor else None,
    }
    return {"pagination": pagination, "data": page}


def size_of(said: str | None) -> int:
    """How many rows a page has."""
    if said is None:
        return USUAL
    if not said.isdecimal() or not FEWEST <= int(said) <= MOST:
        raise Refused(400, f"perPage must be between {FEWEST} and {MOST}.", path="perPage")
    return int(said)


def start_of(rows: Sequence[Mapping[str, Any]], cursor: str | None) -> int:
    """Where a page begins."""
    if cursor is None:
        return 0
    for position, row in enumerate(rows):
        if row["id"] == cursor:
            return position
    raise Refused(400, "cursor is not one of this list.", path="cursor")
