"""Runs `insights` with a clock that is ahead: `python -m ...system.clock SECONDS ARGUMENTS…`.

Only what Python code of the process asks for the time is changed: `time.time`, `time.time_ns` and
`datetime.now`. It is what a wrong system clock does to one machine of a fleet.
"""

import datetime as dt
import runpy
import sys
import time
from datetime import datetime as true_datetime
from typing import Any


def run_ahead(seconds: float) -> None:
    """Put this process's clock ahead; call it before anything else is imported."""
    right, right_ns = time.time, time.time_ns
    time.time = lambda: right() + seconds
    time.time_ns = lambda: right_ns() + int(seconds * 1e9)
    ahead = dt.timedelta(seconds=seconds)

    class Datetime(true_datetime, metaclass=AnyDatetime):
        __slots__ = ()  # C code checks the size

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return true_datetime.now(tz) + ahead

        @classmethod
        def utcnow(cls) -> Any:
            return true_datetime.now(dt.UTC).replace(tzinfo=None) + ahead

    Datetime.__name__ = Datetime.__qualname__ = "datetime"
    Datetime.__module__ = "datetime"
    dt.datetime = Datetime  # type: ignore[misc]


class AnyDatetime(type):
    """Has what C code makes (psycopg, pydantic) be of the class that stands in for its own."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, true_datetime)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, true_datetime)


if __name__ == "__main__":
    run_ahead(float(sys.argv[1]))
    sys.argv = ["insights", *sys.argv[2:]]
    runpy.run_module("cli", run_name="__main__", alter_sys=True)
