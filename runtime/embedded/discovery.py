"""How other commands find the servers of a running `insights up`: by a note in its folder."""

import json
import os
from pathlib import Path

from pydantic import SecretStr

from runtime.environment import environment
from settings import Settings

NOTE = "servers.json"
NOTED = ("DATABASE_URL", "REDIS_URL", "INSIGHTS_API_KEYS")


def write_note(settings: Settings) -> None:
    """Write down where the servers are and which process runs them."""
    values = environment(settings)
    # It holds API keys: 0o600 from the start, so that no other user can read it meanwhile.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    descriptor = os.open(settings.insights_home / NOTE, flags, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"pid": os.getpid()} | {name: values[name] for name in NOTED}, file)


def forget_note(home: Path) -> None:
    """Remove the note, if there is one."""
    (home / NOTE).unlink(missing_ok=True)


def with_running_servers(settings: Settings) -> Settings:
    """The settings, completed with the servers of an `insights up` that runs in the same folder."""
    note = settings.insights_home / NOTE
    if (settings.database_url and settings.redis_url) or not is_live(note):
        return settings
    found = json.loads(note.read_text())
    return settings.model_copy(
        update={
            "database_url": settings.database_url or SecretStr(found["DATABASE_URL"]),
            "redis_url": settings.redis_url or SecretStr(found["REDIS_URL"]),
        }
    )


def is_live(note: Path) -> bool:
    """Whether the process that wrote the note still runs."""
    try:
        os.kill(json.loads(note.read_text())["pid"], 0)
    except (OSError, ValueError, KeyError):
        return False
    return True
