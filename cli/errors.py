"""What can be wrong with what an operator asks for."""

from errors import InsightsError


class WrongInput(InsightsError):
    """Raised when an argument cannot be what is meant; says why and what would do."""


class DatabaseRefused(InsightsError):
    """Raised when PostgreSQL answers, but not as it should."""
