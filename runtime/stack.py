"""Everything at once: servers where needed, the tables, and all processes, supervised."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import httpx
import structlog

from errors import InsightsError
from runtime.assembly import Assembly
from runtime.embedded.discovery import embedded_servers, environment
from runtime.embedded.servers import Server, ServerFailed
from runtime.migrate import migrate
from runtime.supervisor import Supervisor, insights
from settings import Settings
from workers.exporter import shared_folder

log = structlog.get_logger()
READY_WITHIN = 60.0


class NotReady(InsightsError):
    """Raised when the product does not come up."""


@dataclass(frozen=True)
class Stack:
    """A running product: its door, its parts for reading, and what supervises it."""

    url: str
    assembly: Assembly
    supervisor: Supervisor
    servers: list[Server]


@contextmanager
def running_stack(settings: Settings, *, workers: int = 2) -> Iterator[Stack]:
    """Run the whole product inside the `with` block; yields when it is ready."""
    with embedded_servers(settings) as (complete, servers):
        port = complete.port or free_port(complete.host)
        # This process only watches the others: Sentry hears of what they do from them.
        assembly = Assembly(complete.model_copy(update={"sentry_dsn": None}))
        migrate(assembly.engine, assembly.catalogue, assembly.handlers)
        counting = shared_folder(complete.insights_home / "metrics")
        surroundings = os.environ | environment(complete) | counting | {"PORT": str(port)}
        supervisor = Supervisor(tend=partial(revive, servers))
        for name in ("web", "relay", "scheduler"):
            supervisor.add(name, insights(name), surroundings)
        for number in range(workers):
            supervisor.add(f"worker-{number + 1}", insights("worker"), surroundings)
        stopped = threading.Event()
        watcher = threading.Thread(target=supervisor.run, args=(stopped,))
        watcher.start()
        try:
            url = f"http://{complete.host}:{port}"
            wait_until_ready(url)
            yield Stack(url, assembly, supervisor, servers)
        finally:
            stopped.set()
            watcher.join()
            assembly.close()


def revive(servers: list[Server]) -> None:
    """Start servers of ours again that ended by themselves."""
    for server in servers:
        if server.process is not None and server.process.poll() is not None:
            log.warning("server_ended", server=server.name, code=server.process.returncode)
            try:
                server.start()
            except ServerFailed as error:
                log.warning("server_not_started", server=server.name, reason=str(error))


def wait_until_ready(url: str) -> None:
    """Wait until the door says that it is ready. Raises NotReady with its reason."""
    deadline = time.monotonic() + READY_WITHIN
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
    """A port that nobody listens on now."""
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])
