"""The time by which the doubles forget: real, but tests may move it."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Only ever moves forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC) + self.ahead

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.ahead += by
