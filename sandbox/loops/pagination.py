"""Lists that Loops returns a page at a time, each page with the cursor of the next."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import URL

from sandbox.loops.errors import ApiError

# Rows per page (https://loops.so/docs/api-reference/list-transactional-emails).
MIN_PER_PAGE, DEFAULT_PER_PAGE, MAX_PER_PAGE = 10, 20, 50


def page_of(rows: Sequence[Mapping[str, Any]], url: URL) -> dict[str, Any]:
    """The page that a request's address asks for. Raises ApiError 400.

    A cursor is the id of the first row of its page.
    """
    asked = dict(parse_qsl(url.query))
    per_page, first = page_size(asked.get("perPage")), position_of(rows, asked.get("cursor"))
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


def page_size(value: str | None) -> int:
    """How many rows a page has. Raises ApiError 400."""
    if value is None:
        return DEFAULT_PER_PAGE
    if not value.isdecimal() or not MIN_PER_PAGE <= int(value) <= MAX_PER_PAGE:
        raise ApiError(
            400, f"perPage must be between {MIN_PER_PAGE} and {MAX_PER_PAGE}.", path="perPage"
        )
    return int(value)


def position_of(rows: Sequence[Mapping[str, Any]], cursor: str | None) -> int:
    """The position of a page's first row. Raises ApiError 400."""
    if cursor is None:
        return 0
    for position, row in enumerate(rows):
        if row["id"] == cursor:
            return position
    raise ApiError(400, "cursor is not one of this list.", path="cursor")
