"""What external handlers are given to work with, one field per provider."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.flags import Flags
from services.loops import Loops
from services.posthog import PostHog
from services.redis.cache import Cache
from services.redis.lock import Locks
from services.redis.progress import ProgressBoard
from services.redis.sessions import Sessions
from services.storage import Storage


@dataclass(frozen=True)
class Links:
    """Where pages of the front end are, without a slash at the end."""

    app: str
    docs: str

    @property
    def dashboard(self) -> str:
        """Where a person sees all that is theirs."""
        return f"{self.app}/dashboard"

    @property
    def pricing(self) -> str:
        """Where a person finds a larger plan."""
        return f"{self.app}/pricing"

    def model(self, id_: str) -> str:
        """Where a person looks at a model."""
        return f"{self.app}/models/{id_}"


@dataclass(frozen=True)
class Services:
    """Clients of one process; a provider that no setting names is None, and nothing is owed to it.

    `publish` publishes events at once, in a transaction of its own: work that takes long tells
    with it how far it is. What follows from the work as a whole is returned by the handler
    instead, and published when the debt is deleted. `transaction` runs a function of a session in
    a transaction, and waits for a database that is away.
    """

    publish: Callable[..., Any]
    transaction: Callable[[Callable[[Any], Any]], Any]
    links: Links
    progress: ProgressBoard
    cache: Cache
    sessions: Sessions
    locks: Locks
    storage: Storage
    loops: Loops | None = None
    posthog: PostHog | None = None
    flags: Flags | None = None

    def is_on(self, flag: str, user_id: Any) -> bool:
        """Whether a feature flag is on for a user; without PostHog all are off."""
        return self.flags is not None and self.flags.is_on(flag, user_id)

    def close(self) -> None:
        """Close the connections that were made."""
        for each in (self.loops, self.posthog, self.flags):
            if each is not None:
                each.close()
