"""The driver's connections: a transaction begins with our settings, and silence is given up.

What is overridden is psycopg's own and not public, so pyproject.toml bounds its version, and
tests/models/test_driver.py says what must come of it.
"""

import time
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from typing import Any

import psycopg
import structlog
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.generators import fetch_many, send

from models.deadline import Deadlines, NoAnswer, Wait

log = structlog.get_logger()
Waiting = Generator[Any, Any, Any]

BEGIN = b"BEGIN ISOLATION LEVEL READ COMMITTED"  # a role's default may be another
CANCEL_TIMEOUT = 1.0  # seconds to ask the server to end what nobody waits for any more


class Connection(psycopg.Connection[Any]):
    """Begins each transaction with `settings`, and keeps to `deadlines` wherever it waits."""

    settings: bytes | None = None
    deadlines = Deadlines()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cursor_factory = Cursor
        self.made_at = time.monotonic()

    @property
    def is_idle(self) -> bool:
        """Whether the next statement begins a transaction."""
        return self.pgconn.transaction_status == pq.TransactionStatus.IDLE

    def opening(self) -> list[bytes]:
        """The commands that begin a transaction."""
        return [BEGIN, *([self.settings] if self.settings else [])]

    def closing(self) -> list[bytes]:
        """The commands that end a transaction of one statement, in autocommit mode."""
        return [b"COMMIT"] if self.autocommit else []

    def _start_query(self) -> Waiting:
        """Begin a transaction unless one has begun: psycopg does so before all that it sends."""
        if self.is_idle and not self.autocommit:
            for command in self.opening():
                yield from self._exec_command(command)

    def wait(self, gen: Waiting, *args: Any, **options: Any) -> Any:
        watched = Wait(self.deadlines, self.made_at, self.give_up).watch(gen)
        return super().wait(watched, *args, **options)

    def give_up(self, silent: float) -> NoAnswer:
        """End the connection; return the error for whoever waited."""
        log.warning(
            "database_connection_given_up",
            silent_seconds=round(silent, 1),
            hint="PostgreSQL, or something on the way to it, did not answer.",
        )
        # A statement that still runs would keep its locks. This goes over another connection.
        with suppress(psycopg.Error):
            self.cancel_safe(timeout=CANCEL_TIMEOUT)
        self.close()
        return NoAnswer(f"PostgreSQL did not answer for {silent:.1f} s")


class Cursor(psycopg.Cursor[Any]):
    """Sends the first statement of a transaction together with what opens it: one round trip.

    In autocommit mode, it sends the commit along as well, so that our settings hold there too.
    """

    def _execute_gen(self, query: Any, params: Any = None, **options: Any) -> Waiting:
        connection: Any = self._conn
        if not connection.is_idle or may_be_several(query, params):
            yield from super()._execute_gen(query, params, **options)
            return
        self._reset()
        self._tx = Transformer(self)
        statement = self._convert_query(query, params)
        results: list[list[Any]] = []
        try:
            yield from self._run(statement, connection.opening(), connection.closing(), results)
        # In the middle of a pipeline, nothing else can be sent.
        except BaseException:
            with closing(connection):
                self._check_all(results)  # what the server said tells more than that it is gone
            raise
        self._check_all(results)

    def _run(
        self, statement: Any, before: Sequence[bytes], after: Sequence[bytes], results: list[Any]
    ) -> Waiting:
        """Send all at once, and gather the results; that of the statement is the cursor's."""
        pgconn = self._pgconn
        pgconn.enter_pipeline_mode()
        for command in before:
            pgconn.send_query_params(command, None)
        self._execute_send(statement, force_extended=True)
        pgconn.pipeline_sync()
        for command in after:
            pgconn.send_query_params(command, None)
            pgconn.pipeline_sync()
        yield from send(pgconn)
        for _ in (*before, statement):
            results += [(yield from fetch_many(pgconn))]
        # The end of the first part says which DateStyle and TimeZone its result is written in.
        yield from fetch_many(pgconn)
        self._set_results(results[-1])
        for _ in after:
            results += [(yield from fetch_many(pgconn))]
            yield from fetch_many(pgconn)
        pgconn.exit_pipeline_mode()

    def _check_all(self, results: Sequence[list[Any]]) -> None:
        """Raise the first error among the results of several commands."""
        for each in results:
            self._check_results(each)


def may_be_several(query: object, params: object) -> bool:
    """Whether a query may hold several commands, as those of migrations do.

    PostgreSQL takes these without parameters, and not in a pipeline. A semicolon at the end thus
    lets run in autocommit mode what PostgreSQL refuses in a transaction: `VACUUM;`.
    """
    return not params and not (isinstance(query, str) and ";" not in query)
