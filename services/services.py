"""What external handlers are given to work with, one field per provider."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import UUID

from services.flags import Flags
from services.loops import Loops
from services.posthog import Persons, PostHog
from services.redis.cache import Cache
from services.redis.lock import Locks
from services.redis.progress import ProgressBoard
from services.redis.sessions import Sessions
from services.storage import Storage

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Result = TypeVar("Result")


@dataclass(frozen=True)
class Links:
    """Addresses of the front end, without a slash at the end."""

    app: str
    docs: str

    @property
    def dashboard(self) -> str:
        return f"{self.app}/dashboard"

    @property
    def pricing(self) -> str:
        return f"{self.app}/pricing"

    def model(self, id_: str) -> str:
        return f"{self.app}/models/{id_}"


def nothing_is_leased(_session: "Session", _event_id: UUID, /) -> bool:
    """The answer of `Services.holds_lease` outside of workers, where nobody could lose a lease."""
    return True


class RunInTransaction(Protocol):
    """Runs `work` in a transaction, commits, and returns what `work` returned.

    It waits for a database that is away, and runs `work` again: that must do nothing else.
    """

    def __call__(self, work: "Callable[[Session], Result]", /) -> Result: ...


@dataclass(frozen=True)
class Services:
    """Clients of one process; a provider that no setting names is None, and no work is due to it.

    `publish` publishes events at once, in a transaction of its own, as for the progress of work
    that takes long. What follows from the work as a whole is returned by the handler instead, and
    published in the transaction that deletes its delivery.

    `holds_lease` takes a session and the id of the event that is handled: whether its delivery is
    still leased to this call. If so, no other worker can begin it before that transaction ends.
    """

    publish: Callable[..., None]
    transaction: RunInTransaction
    links: Links
    progress: ProgressBoard
    cache: Cache
    sessions: Sessions
    locks: Locks
    storage: Storage
    loops: Loops | None = None
    posthog: PostHog | None = None
    persons: Persons | None = None
    flags: Flags | None = None
    holds_lease: "Callable[[Session, UUID], bool]" = nothing_is_leased

    def is_on(self, flag: str, user_id: UUID) -> bool:
        """Whether a feature flag is on for a user; without PostHog all are off."""
        return self.flags is not None and self.flags.is_on(flag, user_id)

    def close(self) -> None:
        """Close the connections that were made."""
        for each in (self.loops, self.posthog, self.persons, self.flags):
            if each is not None:
                each.close()
