"""Points in time as people write them."""

import re
from datetime import UTC, datetime, timedelta

from cli.errors import WrongInput

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
FORMS = "an ISO time, UTC unless it says else, or 30s, 90m, 24h, 7d for that long ago"


def parse_moment(text: str) -> datetime:
    """A time such as `2026-11-22T10:00Z`, or `24h` for 24 hours ago. Raises WrongInput."""
    try:
        if ago := re.fullmatch(r"(\d{1,9})([smhd])", text):
            return datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise WrongInput(f"'{text}' is no time. Write {FORMS}.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def maybe_moment(text: str | None) -> datetime | None:
    """The same for an option that may be left out."""
    return None if text is None else parse_moment(text)
