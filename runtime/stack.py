"""Everything at once: servers where needed, the tables, and all processes, supervised."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import httpx
import structlog

from errors import InsightsError
from runtime.assembly import Assembly
from runtime.embedded.server import EmbeddedServer
from runtime.embedded.servers import embedded_servers, restart_ended
from runtime.environment import environment
from runtime.migrate import migrate
from runtime.supervisor import Supervisor, insights_command
from settings import Settings
from workers.exporter import shared_folder

log = structlog.get_logger()
READY_TIMEOUT = 60.0  # seconds; far above the few that a start takes on an idle machine


class NotReady(InsightsError):
    """Raised when the product was started and does not become ready in time."""


@dataclass(frozen=True)
class Stack:
    """A running product: where its HTTP API is, its parts for reading, and what supervises it."""

    url: str
    assembly: Assembly
    supervisor: Supervisor
    servers: list[EmbeddedServer]


@contextmanager
def running_stack(
    settings: Settings, *, workers: int = 2, say: Callable[[str], None] | None = None
) -> Iterator[Stack]:
    """Run the whole product inside the `with` block; yields when it is ready.

    `say` is given what the migration left alone, and what it says of providers; else it is logged.

    Raises ServerFailed when an embedded server does not start, NotReady when the product
    does not become ready.
    """
    with embedded_servers(settings) as (complete, servers):
        port = complete.port or free_port(complete.host)
        # This process only watches the others: they themselves report to Sentry.
        assembly = Assembly(complete.model_copy(update={"sentry_dsn": None}))
        notices = migrate(
            assembly.engine, assembly.catalogue, assembly.handlers, assembly.providers
        )
        # This process keeps no connection, which the others may need.
        assembly.engine.dispose()
        for notice in notices:
            (say or log.info)(notice)
        metrics = shared_folder(complete.insights_home / "metrics")
        variables = os.environ | environment(complete) | metrics | {"PORT": str(port)}
        supervisor = Supervisor(check_servers=partial(restart_ended, servers))
        for name in ("web", "relay", "scheduler"):
            supervisor.add(name, insights_command(name), variables)
        for number in range(workers):
            supervisor.add(f"worker-{number + 1}", insights_command("worker"), variables)
        stopped = threading.Event()
        watcher = threading.Thread(target=supervisor.run, args=(stopped,))
        watcher.start()
        try:
            url = f"http://{complete.host}:{port}"
            wait_until_ready(url)
            yield Stack(url, assembly, supervisor, servers)
        finally:
            # Processes end before their servers do: they need them to give leases back.
            stopped.set()
            watcher.join()
            assembly.close()


def wait_until_ready(url: str) -> None:
    """Wait until the HTTP API says that it is ready. Raises NotReady with its reason."""
    deadline = time.monotonic() + READY_TIMEOUT
    reason = "it does not answer"
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{url}/readyz", timeout=5)
        except httpx.TransportError:
            pass
        else:
            if answer.is_success:
                return
            reason = answer.text
        time.sleep(0.05)
    raise NotReady(f"{url} is not ready: {reason}")


def free_port(host: str) -> int:
    """A port that no program listens on now."""
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])
