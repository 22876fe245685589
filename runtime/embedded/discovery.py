"""The servers that `insights up` brings along, and where other commands find them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from pydantic import SecretStr

from runtime.embedded.servers import Server, private_postgres, private_valkey
from settings import Settings

NOTE = "servers.json"
NOTED = ("DATABASE_URL", "REDIS_URL", "INSIGHTS_API_KEYS")


@contextmanager
def embedded_servers(settings: Settings) -> Iterator[tuple[Settings, list[Server]]]:
    """Start what the settings leave open; yield settings that lack nothing, and our servers.

    The servers stop at the end of the `with` block.
    """
    home = settings.insights_home
    home.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    started: list[Server] = []
    try:
        for name, make in (("database_url", private_postgres), ("redis_url", private_valkey)):
            if getattr(settings, name) is None:
                server = make(home)
                started.append(server)
                server.start()
                found[name] = SecretStr(server.url)
        if not settings.insights_api_keys:
            found["insights_api_keys"] = (SecretStr(token_urlsafe(24)),)
        complete = settings.model_copy(update=found)
        write_note(complete)
        yield complete, started
    finally:
        (home / NOTE).unlink(missing_ok=True)
        for server in reversed(started):
            server.stop()


def environment(settings: Settings) -> dict[str, str]:
    """The environment in which child processes find the same settings, whatever their `.env`."""
    told = {name.upper(): plain(getattr(settings, name)) for name in Settings.model_fields}
    return told | {"INSIGHTS_HOME": str(settings.insights_home.resolve())}


def write_note(settings: Settings) -> None:
    """Tell other commands of this folder where the servers are; only the owner may read it."""
    note = settings.insights_home / NOTE
    told = environment(settings)
    descriptor = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"pid": os.getpid()} | {name: told[name] for name in NOTED}, file)


def with_running_servers(settings: Settings) -> Settings:
    """Settings with what an `insights up` in the same folder brings, where they leave it open."""
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


def plain(value: Any) -> str:
    """A setting's value as text, for the environment of our own children; what is unset is ''."""
    match value:
        case None:
            return ""
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return ",".join(map(plain, value))
        case _:
            return str(value)
