"""Billing periods, counted from an anchor so that the 31st comes back after a short month."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}


def after(anchor: int, recurring: Mapping[str, Any], count: int) -> int:
    """The time so many intervals after an anchor, in seconds since the epoch."""
    interval, steps = recurring["interval"], recurring["interval_count"] * count
    start = datetime.fromtimestamp(anchor, UTC)
    if interval in DAYS:
        return int((start + timedelta(days=DAYS[interval] * steps)).timestamp())
    months = start.year * 12 + start.month - 1 + MONTHS[interval] * steps
    year, month = divmod(months, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def period_at(anchor: int, recurring: Mapping[str, Any], at: int) -> tuple[int, int]:
    """The period that holds a time, its end excluded; the first one where it lies before."""
    count = 0
    # Whole intervals lie close to their mean length, so one estimate leaves a step or two.
    mean = after(anchor, recurring, 1) - anchor
    if at > anchor:
        count = max(0, (at - anchor) // mean - 1)
    while after(anchor, recurring, count + 1) <= at:
        count += 1
    return after(anchor, recurring, count), after(anchor, recurring, count + 1)


def same_interval(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[name] == other[name] for name in ("interval", "interval_count"))
