"""Live progress of trainings: a hash to read and a channel to follow, `training:{id}` both."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from services.redis.commands import Commands, evaluate

KEPT = 7 * 24 * 3600
FINAL = frozenset({"completed", "failed", "cancelled"})
FIELDS = ("progress", "message", "status", "version")
STATUSES = FINAL | {"queued", "running"}


@dataclass(frozen=True)
class Progress:
    """How far a training is: `progress` in percent, `at` in microseconds since the epoch.

    `status` is one of queued, running, completed, failed, cancelled; the last three are final.
    """

    training_id: str
    progress: float
    message: str
    status: str
    at: int

    @property
    def is_final(self) -> bool:
        """Whether the training has come to its end."""
        return self.status in FINAL

    @property
    def rank(self) -> tuple[bool, int, float, bool, str, str]:
        """The law of progress.lua: of two states, the one of the greater rank stands."""
        has_begun = self.status != "queued"
        return self.is_final, self.at, self.progress, has_begun, self.message, self.status

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the hash and of the channel's JSON; `updated_at` is in milliseconds."""
        return {
            "progress": self.progress,
            "message": self.message,
            "status": self.status,
            "updated_at": self.at // 1000,
            "version": self.at,
        }


class ProgressBoard:
    """Shows progress. Older news never overwrites newer, and what is finished stays finished."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.script = files("services.redis").joinpath("progress.lua").read_text()

    def show(self, news: Sequence[Progress]) -> None:
        """Write and announce each piece of news that is news: one round trip, one command each.

        Raises ProviderDown when Redis is away.
        """
        self.commands.run(*(self.showing(each) for each in news))

    def showing(self, progress: Progress) -> Sequence[Any]:
        """The command that shows one piece of news."""
        fields = progress.fields
        key = [f"training:{progress.training_id}"]
        return evaluate(self.script, key, *fields.values(), KEPT, json.dumps(fields))

    def read(self, training_id: str) -> Progress | None:
        """The state that the hash tells, None when it tells none. One command.

        Raises ProviderDown.
        """
        (found,) = self.commands.run(("HMGET", f"training:{training_id}", *FIELDS))
        pairs = zip(FIELDS, found, strict=True)
        return understand(training_id, {k: v for k, v in pairs if v is not None})


def understand(training_id: str, fields: Mapping[str, Any]) -> Progress | None:
    """The state that a hash or a message tells; None where another writer left out a part."""
    try:
        progress, at = float(fields["progress"]), int(fields["version"])
        message, status = (text(fields[name]) for name in ("message", "status"))
    except (KeyError, OverflowError, TypeError, ValueError):
        return None
    if status not in STATUSES or not math.isfinite(progress):
        return None
    return Progress(training_id, progress, message, status, at)


def text(value: object) -> str:
    """A value of the hash, or of a message, as text. Raises TypeError, ValueError."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(type(value))
