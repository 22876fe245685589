"""What can go wrong with a measurement."""

from errors import InsightsError


class BenchFailed(InsightsError):
    """Raised when something cannot be measured, or when its books do not balance."""
