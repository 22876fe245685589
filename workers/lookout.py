"""Looks what is due for this process's own handlers, so that no lost bell costs more than seconds.

Bells may be lost, and the broker or the relay may be away for as long as it likes: the database
says what is owed, and whoever works looks there once a second.
"""

import threading
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from handlers import Handler
from models.deliveries.look import Due, look
from workers.in_hand import InHand
from workers.runner import Runner
from workers.upkeep import Upkeep

log = structlog.get_logger()
LOOK_EVERY = 1.0  # seconds
# Looks at which the same delivery was still due, until the broker's connection is suspect.
LOOKS_UNTIL_SUSPECT = 5


class Lookout(threading.Thread):
    """One thread per worker process."""

    def __init__(
        self,
        runner: Runner,
        handlers: Sequence[Handler],
        ring: Callable[[Handler], None],
        test_broker: Callable[[str], None],
        keep_heartbeat: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(daemon=True, name="lookout")
        self.runner = runner
        self.in_hand: InHand = runner.in_hand
        self.handlers = {handler.name: handler for handler in handlers}
        self.ring = ring
        self.test_broker = test_broker
        self.keep_heartbeat = keep_heartbeat
        self.upkeep = Upkeep(self.in_hand.engine)
        self.seen: dict[str, Due] = {}
        self.untaken: dict[str, int] = {}

    def run(self) -> None:
        """Look until the process stops. While the database is away, try again."""
        while not self.runner.stopping.wait(LOOK_EVERY):
            try:
                self.keep_heartbeat()
                self.look()
            except SQLAlchemyError as error:
                log.warning("lookout_waits", error=type(error).__name__)
                self.upkeep.database_was_away()
            # Without this thread, lost bells and lost notes would keep work waiting for ever.
            except Exception:
                log.exception("lookout_failed")

    def look(self) -> None:
        """Ring for what was due at the last look already and is not being taken."""
        self.in_hand.end_unended()
        self.in_hand.end_unknown()
        bounds = {name: handler.batch for name, handler in self.handlers.items()}
        with self.in_hand.engine.connect() as connection:
            found = {due.handler: due for due in look(connection, bounds) if due.free}
        for name in self.handlers:
            stays = name in found and is_untaken(self.seen.get(name), found[name])
            self.untaken[name] = self.untaken.get(name, 0) + 1 if stays else 0
            if stays and self.runner.free_places(self.handlers[name]) > 0:
                self.ring(self.handlers[name])
                if self.untaken[name] >= LOOKS_UNTIL_SUSPECT:
                    self.test_broker(name)
        self.seen = found
        self.upkeep.run()


def is_untaken(before: Due | None, now: Due) -> bool:
    """Whether the delivery that has been due for longest was so at the last look."""
    return before is not None and (
        (now.first is not None and before.first == now.first)
        or (now.later_first is not None and before.later_first == now.later_first)
    )
