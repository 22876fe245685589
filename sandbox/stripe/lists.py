"""Lists: newest first, a page at a time (https://docs.stripe.com/api/pagination)."""

from collections.abc import Iterable
from typing import Any

from sandbox.stripe.endpoints import Call
from sandbox.stripe.errors import invalid
from sandbox.stripe.objects import Object, list_of

DEFAULT_LIMIT, MAX_LIMIT = 10, 100


def page_of(call: Call, rows: Iterable[Object], **equal: Any) -> Object:
    """The page that a request asks for, of rows in the order in which they were made.

    `equal` are filters: fields with the value that they must have, None for any.
    """
    wanted = {name: value for name, value in equal.items() if value is not None}
    found = [
        row
        for row in reversed(list(rows))
        if all(row.get(name) == value for name, value in wanted.items()) and in_time(call, row)
    ]
    limit = call["limit"] if call["limit"] is not None else DEFAULT_LIMIT
    if not 1 <= limit <= MAX_LIMIT:
        raise invalid(f"Invalid limit: must be between 1 and {MAX_LIMIT}.", "limit")
    after, before = call["starting_after"], call["ending_before"]
    if after is not None and before is not None:
        raise invalid("You may only specify one of these parameters: ending_before, starting_after")
    if before is not None:
        rest = found[: position(found, before, "ending_before")]
        return list_of(rest[-limit:], call.path, has_more=len(rest) > limit)
    rest = found if after is None else found[position(found, after, "starting_after") + 1 :]
    return list_of(rest[:limit], call.path, has_more=len(rest) > limit)


def on_clock(call: Call, rows: Iterable[Object]) -> list[Object]:
    """The rows of the test clock that was asked for, else those of none."""
    wanted = call["test_clock"]
    return [row for row in rows if row.get("test_clock") == wanted]


def position(rows: list[Object], id_: str, param: str) -> int:
    for place, row in enumerate(rows):
        if row["id"] == id_:
            return place
    raise invalid(f"No such object: '{id_}'", param, "resource_missing")


def in_time(call: Call, row: Object) -> bool:
    """Whether a row was created when the request asks for."""
    asked = call["created"]
    if asked is None:
        return True
    created: int = row["created"]
    if isinstance(asked, int):
        return created == asked
    return bool(
        created > asked.get("gt", created - 1)
        and created >= asked.get("gte", created)
        and created < asked.get("lt", created + 1)
        and created <= asked.get("lte", created)
    )
