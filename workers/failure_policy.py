"""The failure policy: what an outcome or an error makes of a delivery, and how it is worded."""

import traceback
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from errors import InsightsError, ProviderBusy, ProviderRefused
from handlers import Reject, RetryLater
from models.database_errors import sqlstate_of
from models.deliveries.failures import Failure
from models.deliveries.lease import Lease

BUSY_FOR = timedelta(seconds=2)  # the throttle's queue is 10 s long at most: some slots are free
DRIVERS = {"sqlalchemy", "psycopg"}
LONGEST_ERROR = 500  # characters, of `last_error`


class WorkerDied(InsightsError):
    """The outcome of a delivery whose worker process died each time that it was tried alone."""


def failure_of(lease: Lease, error: Exception) -> Failure:
    """Decide whether a failure is charged, put off, or final."""
    match error:
        case RetryLater(after=after):
            return Failure(lease, describe(error), charge=0, after=after)
        case ProviderBusy():
            return Failure(lease, describe(error), charge=0, after=BUSY_FOR)
        case WorkerDied():  # its attempts were charged when its processes died
            return Failure(lease, describe(error), charge=0, dead=True)
        case Reject() | ProviderRefused():
            return Failure(lease, describe(error), dead=True)
        case _:
            return Failure(lease, describe(error))


def describe(error: BaseException) -> str:
    """An error for `last_error`: our own messages whole, any other by its type and place.

    A message that is not ours may quote personal data. An error of the database is named by
    PostgreSQL's own name and SQLSTATE, and by the line of the code that ran the statement.
    """
    if isinstance(error, InsightsError):
        return storable(str(error))[:LONGEST_ERROR]
    name = type(error).__name__
    if isinstance(error, DBAPIError) and sqlstate_of(error):
        name = f"{name} {type(error.orig).__name__} ({sqlstate_of(error)})"
    return f"{name}{place_of(error)}"


def storable(message: str) -> str:
    """A message without what PostgreSQL does not take: NUL, and halves of characters."""
    return message.replace("\0", "").encode(errors="replace").decode()


def place_of(error: BaseException) -> str:
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
