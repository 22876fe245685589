"""What follows: one file per reaction, found by themselves."""

from handlers.outcomes import Failed, Outcome, Outcomes, Reject, RetryLater
from handlers.registry import (
    DuplicateHandler,
    Handler,
    Kind,
    external,
    load_handlers,
    transactional,
)

__all__ = [
    "DuplicateHandler",
    "Failed",
    "Handler",
    "Kind",
    "Outcome",
    "Outcomes",
    "Reject",
    "RetryLater",
    "external",
    "load_handlers",
    "transactional",
]
