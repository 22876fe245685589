"""Options that several commands share: JSON output, handler names, points in time."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cli.app import WrongInput

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
HandlerName = Annotated[
    str, typer.Argument(metavar="HANDLER", help="Its name; `insights handlers` lists them.")
]
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_time(text: str) -> datetime:
    """A time such as `2026-11-22T10:00Z`, or `24h` for 24 hours ago. Raises WrongInput.

    A time without an offset is UTC.
    """
    try:
        if ago := re.fullmatch(r"(\d{1,9})([smhd])", text):
            return datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        time = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise WrongInput(
            f"'{text}' is no time. Write an ISO time, UTC unless it has an offset, or 30s, 90m, "
            "24h, 7d for that long ago."
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def optional_time(text: str | None) -> datetime | None:
    """The time of an option that may be left out. Raises WrongInput."""
    return None if text is None else parse_time(text)
