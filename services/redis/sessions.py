"""Sessions of users: random ids of which Redis knows only the hash."""

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

IDLE = 7 * 24 * 3600
LONGEST = 30 * 24 * 3600
BYTES = 32


class AccountClosed(InsightsError):
    """Raised when a session is to begin for a user who has left."""


@dataclass(frozen=True)
class SignedIn:
    """Who a session belongs to; times in seconds since the epoch."""

    user_id: UUID
    data: Mapping[str, Any]
    created_at: float
    ends_at: float


class Sessions:
    """They end `idle` seconds after their last use, and `longest` after their beginning.

    Every method raises ProviderDown.
    """

    def __init__(self, commands: Commands, idle: int = IDLE, longest: int = LONGEST) -> None:
        self.commands = commands
        self.idle = idle
        self.longest = longest
        self.begin, self.touch, self.turn, self.end = (
            files("services.redis").joinpath(f"sessions_{name}.lua").read_text()
            for name in ("create", "read", "rotate", "revoke")
        )

    def create(self, user_id: UUID, data: Mapping[str, Any] | None = None) -> str:
        """Begin a session and return its id, 256 random bits. One command.

        Raises AccountClosed: nobody signs in to an account that is being deleted.
        """
        id_, now = new_id(), time.time()
        hashed = digest(id_)
        fields = {"user": str(user_id), "data": json.dumps(dict(data or {}))}
        times = {"created_at": repr(now), "ends_at": repr(now + self.longest)}
        pairs = [word for pair in (fields | times).items() for word in pair]
        keys = [f"session:{hashed}", f"sessions:{user_id}", f"left:{user_id}"]
        ends = (min(self.idle, self.longest), self.longest)
        (begun,) = self.commands.run(evaluate(self.begin, keys, hashed, *ends, *pairs))
        if not begun:
            raise AccountClosed(f"The account {user_id} is closed: nobody can sign in to it.")
        return id_

    def read(self, id_: str) -> SignedIn | None:
        """Who this is, None where the session has ended; reading it is using it. One command."""
        asked = evaluate(self.touch, [f"session:{digest(id_)}"], repr(time.time()), self.idle)
        (found,) = self.commands.run(asked)
        if not found:
            return None
        user, data, created_at, ends_at = found
        return SignedIn(UUID(user), json.loads(data), float(created_at), float(ends_at))

    def rotate(self, id_: str, user_id: UUID) -> str | None:
        """Give a session a new id, as after signing in; None where it has ended. One command."""
        new = new_id()
        old_hash, new_hash = digest(id_), digest(new)
        keys = [f"session:{old_hash}", f"session:{new_hash}", f"sessions:{user_id}"]
        (done,) = self.commands.run(evaluate(self.turn, keys, old_hash, new_hash))
        return new if done else None

    def revoke(self, id_: str, user_id: UUID) -> None:
        """End a session; one round trip, two commands."""
        hashed = digest(id_)
        self.commands.run(("DEL", f"session:{hashed}"), ("SREM", f"sessions:{user_id}", hashed))

    def revoke_all(self, user_id: UUID) -> int:
        """End all sessions of a user; return how many. One command."""
        return self.end_all(user_id, 0)

    def close(self, user_id: UUID) -> int:
        """End all sessions of a user who has left, and let none begin. One command."""
        return self.end_all(user_id, self.longest)

    def end_all(self, user_id: UUID, remember: int) -> int:
        """End all, and remember for so many seconds that the account is closed."""
        keys = [f"sessions:{user_id}", f"left:{user_id}"]
        (count,) = self.commands.run(evaluate(self.end, keys, remember))
        return int(count)


def new_id() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(BYTES)


def digest(id_: str) -> str:
    """What Redis knows of an id: whoever reads Redis cannot sign in."""
    return hashlib.sha256(id_.encode()).hexdigest()
