"""What can go wrong with a measurement or a run of chaos itself."""

from errors import InsightsError


class BenchFailed(InsightsError):
    """Raised when something cannot be measured, or when an engine's effects were counted wrong."""


class ChaosFailed(InsightsError):
    """Raised when a run of chaos cannot be made or finished: there is nothing to compare then."""


class NotInjected(ChaosFailed):
    """Raised when a fault found nothing to break, which is no fault of the product."""
