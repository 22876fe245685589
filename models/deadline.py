"""Gives up a connection after a while, however alive it looks."""

import os
import socket
from contextlib import suppress
from threading import Timer
from typing import Any

import psycopg
from sqlalchemy import Engine, event

TIMER = "insights.deadline"  # key of ConnectionRecord.info


def limit_connections(engine: Engine, seconds: float) -> None:
    """Cut each connection of an engine without a pool, so long after it was made.

    The time-outs of TCP and of the server do not help where something on the way acknowledges what
    is sent and passes nothing on: whoever waits there would wait for ever. Whoever is cut off gets
    an OperationalError, as from a lost connection.
    """

    def start(connection: Any, record: Any) -> None:
        timer = record.info[TIMER] = Timer(seconds, cut, (connection,))
        timer.daemon = True
        timer.start()

    def stop(_connection: Any, record: Any) -> None:
        record.info.pop(TIMER).cancel()

    # First, since SQLAlchemy itself asks each engine's first connection some questions.
    event.listen(engine, "connect", start, insert=True)
    event.listen(engine, "close", stop)


def cut(connection: "psycopg.Connection[Any]") -> None:
    """End a connection that another thread waits for; closing it here would not wake that."""
    # On a copy: closing the copy leaves the thread that waits its own. Both errors say that the
    # connection has ended meanwhile.
    with (
        suppress(OSError, psycopg.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as copy,
    ):
        copy.shutdown(socket.SHUT_RDWR)
