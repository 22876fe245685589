"""Whether the server has room for the connections that our processes may open."""

from typing import TYPE_CHECKING

from cli.doctor.finding import Finding, Status
from models.server import connection_room
from runtime import connection_budget
from runtime.assembly import Assembly
from workers.worker import threads_of

if TYPE_CHECKING:
    from sqlalchemy import Connection


def check_connections(connection: "Connection", assembly: Assembly) -> Finding:
    """Add up what the processes of `insights up` may open, and compare it with the server."""
    threads = threads_of(assembly.handlers.values())
    worker = connection_budget.of_worker(threads)
    needed = connection_budget.of_one_each(threads)
    room = connection_room(connection)
    detail = (
        f"{room.used} of {room.allowed} in use. A web process opens up to "
        f"{connection_budget.of_web()}, a worker of all handlers {worker}, relay and scheduler "
        f"{connection_budget.RELAY} each: {needed} with two workers"
    )
    if needed > room.allowed:
        hint = "Raise max_connections, put a pooler in between, or run workers with --threads."
        return Finding("connections", Status.HINT, detail, hint)
    return Finding("connections", Status.OK, detail)
