"""How a handler says that an event is not done. Returning normally means that it is.

Raise one for the single event, or return `{event.id: outcome}` from a handler that takes a batch:
the other events of the batch are done.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from errors import InsightsError


class Outcome(InsightsError):
    """The base of the outcomes below."""


class Failed(Outcome):
    """This event failed: an attempt is spent, and it comes back after the back-off."""


class Reject(Outcome):
    """No further try can help: the delivery is dead at once, with this reason."""


class RetryLater(Outcome):
    """Not yet: the event comes back `after` that time, and no attempt is spent."""

    def __init__(self, after: timedelta, reason: str = "not yet") -> None:
        super().__init__(reason)
        self.after = after


Outcomes = Mapping[UUID, Outcome]
Client = TypeVar("Client")
ANOTHER_WORKER = timedelta(minutes=1)  # how long one without a key leaves a delivery to others


def require_client(client: Client | None, provider: str) -> Client:
    """The client of a provider. Raises RetryLater in a process that has no key of it.

    Workers take no deliveries of handlers whose provider they have no key of. Should one come
    nevertheless, it is not done: another worker may have the key.
    """
    if client is None:
        raise RetryLater(ANOTHER_WORKER, f"This worker has no key of {provider}.")
    return client
