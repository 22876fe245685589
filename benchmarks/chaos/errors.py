"""What can go wrong with a run of chaos itself."""

from errors import InsightsError


class ChaosFailed(InsightsError):
    """Raised when a run cannot be made or finished, so that there are no books to balance."""
