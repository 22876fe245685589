"""The failure policy: what an outcome or an error makes of a delivery, and how it is worded."""

import traceback
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from errors import InsightsError, ProviderBusy, ProviderRefused
from handlers import Outcome, Reject, RetryLater
from models.database_errors import sqlstate_of
from models.deliveries.failures import Failure
from models.deliveries.lease import Lease
from models.deliveries.take import ClaimedDelivery

BUSY_FOR = timedelta(seconds=2)  # the throttle's queue is 10 s long at most: some slots are free
DRIVERS = {"sqlalchemy", "psycopg"}
LONGEST_ERROR = 500  # characters, of `last_error`


def failures_of(
    deliveries: Iterable[ClaimedDelivery], outcomes: Mapping[UUID, Outcome], *, charged: int
) -> list[Failure]:
    """What becomes of the deliveries that a handler did not do."""
    return [failure_of(each.lease, outcomes[each.id], charged=charged) for each in deliveries]


def failure_of(lease: Lease, error: Exception, *, charged: int) -> Failure:
    """Decide whether a failure is charged, put off, or final.

    `charged` is how many attempts were charged before the work began: they are not charged again,
    and are given back where the failure costs none.
    """
    match error:
        case RetryLater(after=after):
            return Failure(lease, describe(error), charge=-charged, after=after)
        case ProviderBusy():
            return Failure(lease, describe(error), charge=-charged, after=BUSY_FOR)
        case Reject() | ProviderRefused():
            return Failure(lease, describe(error), charge=1 - charged, dead=True)
        case _:
            return Failure(lease, describe(error), charge=1 - charged)


def describe(error: Exception) -> str:
    """An error for `last_error`: our own messages whole, any other by its type and place.

    A message that is not ours may quote personal data. An error of the database is named by
    PostgreSQL's own name and SQLSTATE, and by the line of the code that ran the statement.
    """
    if isinstance(error, InsightsError):
        return str(error)[:LONGEST_ERROR]
    name = type(error).__name__
    if isinstance(error, DBAPIError) and sqlstate_of(error):
        name = f"{name} {type(error.orig).__name__} ({sqlstate_of(error)})"
    return f"{name}{place_of(error)}"


def place_of(error: Exception) -> str:
    """Where an error was raised: the deepest line that is not the database driver's."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if not DRIVERS & set(Path(each.filename).parts)] or frames
    return f" at {Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""


def unreadable_fields(error: Exception) -> str:
    """Which fields of a stored event do not fit, without what they hold."""
    if isinstance(error, ValidationError):
        fields = error.errors(include_input=False, include_url=False, include_context=False)
        return "; ".join(f"{'.'.join(map(str, f['loc'][1:]))}: {f['msg']}" for f in fields)[:450]
    return describe(error)
