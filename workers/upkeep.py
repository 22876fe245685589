"""What any relay and any worker does now and then for the whole fleet."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from models import batches, server
from models.database_errors import Trouble, trouble_of
from models.deliveries import dependencies
from models.processes import BEAT_EVERY, DEAD_AFTER
from workers.in_hand import end_dead

LOOK_FOR_DEAD_EVERY = 1.0  # seconds
SWEEP_EVERY = 60.0  # seconds
KEEP_EVERY = 3600.0  # seconds
# Seconds that the database must have answered before a process is taken for dead: while it was
# away, none could give a sign of life.
TRUST_AFTER = DEAD_AFTER.total_seconds() + 5


class Upkeep:
    """Ends what dead processes had in hand, and waiting that nobody ends; makes partitions."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self.engine = engine
        self.clock = clock
        self.answered_since = clock()
        self.last_run = clock()
        self.next_sweep = clock() + SWEEP_EVERY
        self.next_keep = clock()
        self.swept_to = -1
        self.database_time: datetime | None = None

    def database_was_away(self) -> None:
        """Forget how long the database has answered."""
        self.answered_since = self.clock()

    def run(self) -> None:
        """Do what is due now. Raises DBAPIError."""
        now = self.clock()
        if now - self.last_run < LOOK_FOR_DEAD_EVERY:
            return
        self.last_run = now
        with self.engine.begin() as connection:
            self.watch_clock(server.database_time(connection))
            if now - self.answered_since >= TRUST_AFTER:
                end_dead(connection)
        if now >= self.next_sweep:
            self.sweep(now)
        if now >= self.next_keep:
            self.next_keep = now + KEEP_EVERY
            self.keep()

    def watch_clock(self, time_: datetime) -> None:
        """Trust no silence over which the database's clock leapt, or everybody stood still.

        Its clock may be set, a machine may be suspended, and all of it paused.
        """
        before, self.database_time = self.database_time, time_
        if before is not None and time_ - before > timedelta(seconds=BEAT_EVERY):
            self.database_was_away()

    def sweep(self, now: float) -> None:
        """End waiting that nobody will end, one step; the next begins where this one ends."""
        self.next_sweep = now + SWEEP_EVERY  # where it fails, too
        with self.engine.begin() as connection:
            swept = dependencies.sweep(connection, self.swept_to)
        self.swept_to = -1 if swept.last is None else swept.last
        self.next_sweep = now + (SWEEP_EVERY if swept.last is None else LOOK_FOR_DEAD_EVERY)

    def keep(self) -> None:
        """Make the partitions of the next days; where a batch is in the way, in an hour."""
        try:
            with self.engine.begin() as connection:
                batches.keep(connection)
        except DBAPIError as error:
            if trouble_of(error) is not Trouble.CONFLICT:
                raise
