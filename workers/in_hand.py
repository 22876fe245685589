"""What this process has in hand, noted in the database before work begins.

On a connection of its own: a note must neither wait for the pool, whose connections are held by the
work itself, nor be rolled back with it.
"""

import threading
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from handlers import Handler
from models import batches, processes
from models.batches import EndedBatch
from models.database_errors import Trouble, trouble_of
from models.deliveries import failures
from models.deliveries.lease import Executor
from workers.batch import Batch
from workers.failure_policy import describe

log = structlog.get_logger()
# Seconds that the open transaction of a batch waits for its note. Through a pooler that has no
# connection left, each waiting for the other's would stop both.
NOTE_WITHIN = 1.0


class GivenBack(NamedTuple):
    """What is to be written of a batch that lost its transaction or its database."""

    outcome: str
    error: str | None
    setback: bool
    charge: bool


class InHand:
    """The open batches of one process; any thread may call it.

    `notes` is the one connection on which batches are noted; all else goes over `engine`.
    """

    def __init__(self, engine: Engine, notes: Engine, process: UUID) -> None:
        self.engine = engine
        self.notes = notes
        self.process = process
        self._open: set[int] = set()
        self._unended: dict[int, GivenBack] = {}
        self._lock = threading.Lock()

    def begin(self, name: str) -> None:
        """Give the first sign of life: the heartbeat's interpreter may take long to start."""
        with suppress(DBAPIError, PoolTimeout), self.engine.begin() as connection:
            processes.beat(connection, self.process, name)

    def note(self, handler: Handler, batch: Batch) -> int | None:
        """Note a batch that an open transaction has taken; return its id.

        None where no connection was free for it: then the batch goes without, and should its
        process die of it, nobody will know what it had in hand. See `end_unknown` for a note that
        was written nevertheless.
        """
        try:
            with self.notes.begin() as connection:
                id_ = batches.open_batch(
                    connection,
                    self.process,
                    batch.first.handler_id,
                    batch.ids,
                    lease=None,
                    longest=handler.longest,
                )
        except (DBAPIError, PoolTimeout) as error:
            if trouble_of(error) is None:
                raise
            log.warning("batch_not_noted", handler=handler.name, events=len(batch.ids))
            return None
        self.add(id_)
        return id_

    def add(self, id_: int) -> None:
        """Know of an open batch."""
        with self._lock:
            self._open.add(id_)

    def ended(self, id_: int) -> None:
        """Know that a batch was ended in its own transaction."""
        with self._lock:
            self._open.discard(id_)

    def is_open(self, id_: int) -> bool:
        """Whether a batch has not been ended."""
        with self._lock:
            return id_ in self._open

    def close(self, id_: int, outcome: str, error: str | None) -> None:
        """End a batch of which each part has had its own outcome."""
        with self.engine.begin() as connection:
            batches.close(connection, self.process, id_, outcome, error=error)
        self.ended(id_)

    def lost(self, id_: int, batch: Batch, outcome: str, error: BaseException) -> None:
        """End a batch whose outcome could not be written.

        But for a lost connection, the same would happen to the same company: it goes on in a
        smaller one. What fails alone, as at the commit, is charged, unless the server is to blame.
        """
        trouble = trouble_of(error)
        setback, charge = trouble is not Trouble.AWAY, trouble is None and batch.is_single
        self.end(id_, outcome, describe(error), setback=setback, charge=charge)

    def end(
        self,
        id_: int,
        outcome: str,
        error: str | None = None,
        *,
        setback: bool = False,
        charge: bool = False,
    ) -> None:
        """End a batch, and give back what is still owed of it: see failures.give_back.

        Where the database is away, that is done as soon as it is back: see `end_unended`.
        """
        with self._lock:
            self._open.discard(id_)
            self._unended[id_] = GivenBack(outcome, error, setback, charge)
        try:
            self.end_unended()
        except (DBAPIError, PoolTimeout) as away:
            if trouble_of(away) is None:
                raise

    def end_unended(self) -> None:
        """End what could not be ended before."""
        with self._lock:
            waiting = dict(self._unended)
        for id_, what in waiting.items():
            try:
                self.end_now(id_, what)
            except (DBAPIError, PoolTimeout) as error:
                if trouble_of(error) is not None:
                    raise
                # It would fail again, and keep the others from being ended: `end_unknown` has it.
                log.warning("batch_not_ended", error=describe(error))
            with self._lock:
                self._unended.pop(id_, None)

    def end_now(self, id_: int, what: GivenBack) -> None:
        """End a batch, and give back what is still owed of it."""
        with self.engine.begin() as connection:
            ended = batches.close(connection, self.process, id_, what.outcome, error=what.error)
            if ended is not None:
                failures.give_back(
                    connection,
                    ended.handler_id,
                    ended.ids,
                    setback=what.setback,
                    charge=what.charge,
                    error=what.error,
                )

    def end_unknown(self) -> None:
        """Give back what is noted under this process and nobody here knows of.

        Such a note was committed while its answer was lost.
        """
        with self._lock:
            known = [*self._open, *self._unended]
        with self.engine.begin() as connection:
            give_back(connection, batches.close_unknown(connection, self.process, known))

    def give_back_all(self) -> None:
        """Give back whatever is in hand when the process must end: that is not its failure."""
        for again in (True, True, False):
            try:
                with self.engine.begin() as connection:
                    give_back(connection, batches.close_all(connection, self.process))
                    processes.end(connection, self.process)
            # A batch that has just ended moved to another partition while this waited for it.
            except DBAPIError as error:
                if not again or trouble_of(error) is not Trouble.CONFLICT:
                    raise
            else:
                return


def end_dead(connection: Executor) -> int:
    """Have the work of dead processes go on, in smaller company; return of how many batches."""
    dead = batches.end_dead(connection)
    for each in dead:
        log.warning("batch_ended", reason=each.error, events=len(each.ids))
        failures.give_back(
            connection,
            each.handler_id,
            each.ids,
            setback=True,
            charge=each.was_alone,
            error=each.error,
        )
    return len(dead)


def give_back(connection: Executor, ended: list[EndedBatch]) -> None:
    """Make due again what is still owed of these batches, at no attempt."""
    for each in ended:
        failures.give_back(connection, each.handler_id, each.ids)
