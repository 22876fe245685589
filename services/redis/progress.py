"""Live progress of trainings in Redis: one hash per training, and a channel of the same name."""

import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from events.progress import FINAL_STATUSES, STATUSES, TrainingProgress, TrainingStatus, progress_key
from services.redis.commands import Command, Commands, evaluate

TTL = 7 * 24 * 3600  # seconds since the last update; the events know the state for longer
FIELDS = ("progress", "message", "status", "version")
STATUS_OF: dict[str, TrainingStatus] = {status: status for status in STATUSES}


class ProgressBoard:
    """Shows progress. An older state never replaces a newer one, nor anything a final one."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.script = files("services.redis").joinpath("progress.lua").read_text()

    def show(self, states: Sequence[TrainingProgress]) -> None:
        """Write and publish each state that is newer: one round trip, one command each.

        Raises ProviderDown when Redis is away.
        """
        self.commands.run(*(self.command_for(state) for state in states))

    def command_for(self, state: TrainingProgress) -> Command:
        """The command that shows one state."""
        fields, key = state.fields, progress_key(state.training_id)
        arguments = (*fields.values(), TTL, json.dumps(fields), *FINAL_STATUSES)
        return evaluate(self.script, [key], *arguments)

    def remove(self, training_ids: Sequence[str]) -> None:
        """Delete what is shown of these trainings. One command. Raises ProviderDown."""
        if training_ids:
            self.commands.run(("DEL", *map(progress_key, training_ids)))

    def read(self, training_id: str) -> TrainingProgress | None:
        """The state in the hash, None where there is none. One command. Raises ProviderDown."""
        (found,) = self.commands.run(("HMGET", progress_key(training_id), *FIELDS))
        pairs = zip(FIELDS, found, strict=True)
        return parse(training_id, {k: v for k, v in pairs if v is not None})


def parse(training_id: str, fields: Mapping[str, Any]) -> TrainingProgress | None:
    """The state in a hash or a message; None where another writer left it incomplete."""
    try:
        progress, at = float(fields["progress"]), int(fields["version"])
        message, status = (text(fields[name]) for name in ("message", "status"))
        known_status = STATUS_OF[status]
    except (KeyError, OverflowError, TypeError, ValueError):
        return None
    if not math.isfinite(progress):
        return None
    return TrainingProgress(training_id, progress, message, known_status, at)


def text(value: object) -> str:
    """A value of the hash, or of a message, as text. Raises TypeError, ValueError."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(type(value))
