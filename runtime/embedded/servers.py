"""Starts an embedded server for each server that the settings leave open."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from secrets import token_urlsafe
from typing import Any

import structlog
from pydantic import SecretStr

from runtime.embedded.discovery import forget_note, write_note
from runtime.embedded.postgres import private_postgres
from runtime.embedded.server import EmbeddedServer, ServerFailed
from runtime.embedded.valkey import private_valkey
from settings import Settings

log = structlog.get_logger()


@contextmanager
def embedded_servers(settings: Settings) -> Iterator[tuple[Settings, list[EmbeddedServer]]]:
    """Yield settings that lack neither server nor API key, and the servers that were started.

    The servers stop at the end of the `with` block. Raises ServerFailed.
    """
    home = settings.insights_home
    home.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    started: list[EmbeddedServer] = []
    try:
        for name, make in (("database_url", private_postgres), ("redis_url", private_valkey)):
            if getattr(settings, name) is None:
                server = make(home)
                # Before the start, so that one that fails half-way is stopped too.
                started.append(server)
                server.start()
                found[name] = SecretStr(server.url)
        if not settings.insights_api_keys:
            found["insights_api_keys"] = (SecretStr(token_urlsafe(24)),)
        complete = settings.model_copy(update=found)
        write_note(complete)
        yield complete, started
    finally:
        forget_note(home)
        for server in reversed(started):
            server.stop()


def restart_ended(servers: Sequence[EmbeddedServer]) -> None:
    """Start those servers again that ended by themselves."""
    for server in servers:
        if server.process is not None and server.process.poll() is not None:
            log.warning("server_ended", server=server.name, code=server.process.returncode)
            try:
                server.start()
            except ServerFailed as error:
                log.warning("server_not_started", server=server.name, reason=str(error))
