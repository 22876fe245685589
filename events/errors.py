"""What can be wrong with an event or its type."""

from errors import InsightsError


class UnknownEvent(InsightsError):
    """Raised when an event's type is not in the catalogue."""

    def __init__(self, type_: str) -> None:
        super().__init__(f"No event is called '{type_}'. `insights catalogue` lists them all.")


class Unstorable(InsightsError):
    """Raised when an event holds a text or a number that PostgreSQL cannot store."""

    def __init__(self, type_: str) -> None:
        super().__init__(f"{type_}: it holds a NUL, half a surrogate pair, NaN or infinity.")


class TooFarAhead(InsightsError):
    """Raised when an event's `occurred_at` is more than a day ahead of the database's clock."""

    def __init__(self, type_: str) -> None:
        super().__init__(
            f"{type_}: occurred_at lies more than a day ahead of the database's clock. Give the "
            "time at which it happened, or none for now."
        )


class DuplicateEvent(InsightsError):
    """Raised at start when two classes have the same type."""


class UnerasableField(InsightsError):
    """Raised when a type of event has a personal field that cannot be erased as it says."""

    def __init__(self, type_: str, field: str, reason: str) -> None:
        super().__init__(
            f"{type_}: the field '{field}' cannot be erased: {reason}. Make it optional, or rename "
            "it, or mark it with `personal(…)` and a value that it takes."
        )
