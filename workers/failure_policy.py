"""What an outcome or an error makes of a delivery, and how it is told."""

import traceback
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Row

from errors import InsightsError, ProviderBusy, ProviderRefused
from handlers import Outcome, Reject, RetryLater
from models.leases import Owed
from models.settling import Verdict

BUSY_FOR = timedelta(seconds=2)


def verdicts(
    rows: Sequence[Row[Any]], outcomes: Mapping[UUID, Outcome], *, again: bool
) -> list[Verdict]:
    """What becomes of the rows that a handler left undone."""
    return [verdict(Owed(row.id.hex, row.leases), outcomes[row.id], again=again) for row in rows]


def verdict(owed: Owed, error: Exception, *, again: bool) -> Verdict:
    """What an outcome or an error makes of a delivery; `again` was charged when it began."""
    charged = int(again)
    match error:
        case RetryLater(after=after):
            return Verdict(owed, describe(error), charge=-charged, after=after)
        case ProviderBusy():
            return Verdict(owed, describe(error), charge=-charged, after=BUSY_FOR)
        case Reject() | ProviderRefused():
            return Verdict(owed, describe(error), charge=1 - charged, dead=True)
        case _:
            return Verdict(owed, describe(error), charge=1 - charged)


def describe(error: Exception) -> str:
    """An error for `last_error`: our own sentences whole, a stranger's by its name and place.

    What a stranger's message quotes may be personal data.
    """
    if isinstance(error, InsightsError):
        return str(error)[:500]
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def unreadable(error: Exception) -> str:
    """Which fields do not fit, without what they hold."""
    if isinstance(error, ValidationError):
        fields = error.errors(include_input=False, include_url=False, include_context=False)
        return "; ".join(f"{'.'.join(map(str, f['loc'][1:]))}: {f['msg']}" for f in fields)[:450]
    return describe(error)
