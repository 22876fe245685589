"""Sessions of users: random ids, stored in Redis as their hashes only."""

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from uuid import UUID

from errors import InsightsError
from services.redis.commands import Commands, evaluate

IDLE_SECONDS = 7 * 24 * 3600  # after the last use
MAX_SECONDS = 30 * 24 * 3600  # after the beginning, however much it is used
SESSION, INDEX, CLOSED = "session:", "sessions:", "left:"
ID_BYTES = 32  # 256 bits cannot be guessed; OWASP asks for 64 at least


class AccountClosed(InsightsError):
    """Raised when a session is to begin for a user whose account was closed."""


@dataclass(frozen=True)
class SignedIn:
    """The user and the data of a session; times in seconds since the epoch."""

    user_id: UUID
    data: Mapping[str, Any]
    created_at: float
    ends_at: float


class Sessions:
    """They end `idle` seconds after their last use, and `longest` seconds after their beginning.

    Every method raises ProviderDown.
    """

    def __init__(
        self, commands: Commands, idle: int = IDLE_SECONDS, longest: int = MAX_SECONDS
    ) -> None:
        self.commands = commands
        self.idle = idle
        self.longest = longest
        self.create_script, self.read_script, self.rotate_script, self.revoke_script = (
            files("services.redis").joinpath(f"sessions_{name}.lua").read_text()
            for name in ("create", "read", "rotate", "revoke")
        )

    def create(self, user_id: UUID, data: Mapping[str, Any] | None = None) -> str:
        """Begin a session and return its id, 256 random bits. One command.

        Raises AccountClosed.
        """
        id_, now = new_id(), time.time()
        hashed = digest(id_)
        fields = {"user": str(user_id), "data": json.dumps(dict(data or {}))}
        times = {"created_at": repr(now), "ends_at": repr(now + self.longest)}
        pairs = [word for pair in (fields | times).items() for word in pair]
        keys = [f"{SESSION}{hashed}", f"{INDEX}{user_id}", f"{CLOSED}{user_id}"]
        lifetimes = (min(self.idle, self.longest), self.longest)
        command = evaluate(self.create_script, keys, hashed, *lifetimes, *pairs)
        (created,) = self.commands.run(command)
        if not created:
            raise AccountClosed(f"The account {user_id} is closed.")
        return id_

    def read(self, id_: str) -> SignedIn | None:
        """The session, None where it has ended; reading counts as its use. One command."""
        keys = [f"{SESSION}{digest(id_)}"]
        command = evaluate(self.read_script, keys, repr(time.time()), self.idle)
        (found,) = self.commands.run(command)
        if not found:
            return None
        user, data, created_at, ends_at = found
        return SignedIn(UUID(user), json.loads(data), float(created_at), float(ends_at))

    def rotate(self, id_: str, user_id: UUID) -> str | None:
        """Give a session a new id, as after signing in; None where it has ended. One command."""
        new = new_id()
        old_hash, new_hash = digest(id_), digest(new)
        keys = [f"{SESSION}{old_hash}", f"{SESSION}{new_hash}", f"{INDEX}{user_id}"]
        (rotated,) = self.commands.run(evaluate(self.rotate_script, keys, old_hash, new_hash))
        return new if rotated else None

    def revoke(self, id_: str, user_id: UUID) -> None:
        """End a session; one round trip, two commands."""
        hashed = digest(id_)
        self.commands.run(("DEL", f"{SESSION}{hashed}"), ("SREM", f"{INDEX}{user_id}", hashed))

    def revoke_all(self, user_id: UUID) -> int:
        """End all sessions of a user; return how many. One command."""
        return self.end_all(user_id, closed_for=0)

    def close(self, user_id: UUID) -> int:
        """End all sessions of a user whose account is closed, and let none begin. One command."""
        # For as long as a session can last: a request that read the account before may create one.
        return self.end_all(user_id, closed_for=self.longest)

    def end_all(self, user_id: UUID, closed_for: int) -> int:
        """End all, and let none begin for so many seconds."""
        keys = [f"{INDEX}{user_id}", f"{CLOSED}{user_id}"]
        (count,) = self.commands.run(evaluate(self.revoke_script, keys, closed_for))
        return int(count)


def new_id() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(ID_BYTES)


def digest(id_: str) -> str:
    """What is stored of an id: an id that was read from Redis opens no session."""
    return hashlib.sha256(id_.encode()).hexdigest()
