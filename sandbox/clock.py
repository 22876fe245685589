"""The clock of the doubles, by which idempotency keys expire and rate limits recover."""

from datetime import UTC, datetime, timedelta


class Clock:
    """The real time plus an offset, so that tests need not wait. It only moves forward."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC) + self.offset

    def advance(self, by: timedelta) -> None:
        self.offset += by
