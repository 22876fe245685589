"""What becomes of deliveries that were not done: failed, put off, given back, or dead."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from errors import KeyRefused, ProviderDown, ProviderLimited, ProviderRefused
from events import publish
from handlers import Handler
from models import leases, resting, settling
from models.resting import Rest
from models.settling import Verdict
from models.transactions import in_transaction
from services.sentry import Sentry
from workers.batch import Batch, restore
from workers.failure_policy import describe, verdict
from workers.metrics import Metrics
from workers.tracing import report_death, report_outage

log = structlog.get_logger()


@dataclass
class FailureWriter:
    """Writes as rows whatever keeps deliveries from being done."""

    sessions: "sessionmaker[Session]"
    metrics: Metrics
    sentry: Sentry

    def begin_again(self, handler: Handler, batch: Batch) -> bool:
        """Count the attempt before it begins, and tell whether it may: the last left no word."""

        def begin(session: Session) -> dict[UUID, bool]:
            dead = settling.charge(session, handler.name, batch.owed, handler.max_attempts)
            self.bury(session, handler, dead)
            return dead

        dead = in_transaction(self.sessions, begin)
        for owed in batch.owed:
            if dead.get(UUID(owed.event_id)):
                report_death(self.sentry, handler, owed)
        return bool(dead) and not any(dead.values())

    def fail(self, handler: Handler, batch: Batch, error: Exception) -> None:
        """Write the own failure of an event that stands alone, in a transaction of its own."""
        (owed,) = batch.owed
        log.warning(
            "event_failed",
            handler=handler.name,
            event_id=owed.event_id,
            lease=owed.lease,
            error=describe(error),
        )

        def settle(session: Session) -> None:
            self.write(session, handler, [verdict(owed, error, again=batch.again)])
            if isinstance(error, ProviderRefused):
                resting.recover(session, handler.name)
            elif batch.probe:
                resting.probe_again(session, handler.name)

        in_transaction(self.sessions, settle)

    def write(self, session: Session, handler: Handler, written: Sequence[Verdict]) -> None:
        """Write verdicts and count them."""
        if not written:
            return
        self.metrics.failed(handler.name, len(written))
        dead = settling.settle(session, handler.name, written, handler.max_attempts)
        self.bury(session, handler, dead)

    def bury(self, session: Session, handler: Handler, dead: Mapping[UUID, bool]) -> None:
        """Tell those who wait for an outcome that there will be none, as the handler wishes."""
        gone = [event_id for event_id, is_dead in dead.items() if is_dead]
        self.metrics.dead(handler.name, len(gone))
        if gone and handler.on_death is not None:
            events, _unreadable = restore(handler, leases.read(session, gone))
            publish(session, *map(handler.on_death, events))

    def rest(self, handler: Handler, batch: Batch, down: ProviderDown) -> None:
        """The provider is down: put everything off, and let the handler rest if it stays so.

        While a handler need not rest, its provider answers others: see settling.put_off. A rest is
        probed by single events, so a batch that fails shrinks in any case.
        """
        alone = len(batch.owed) == 1

        def put_off(session: Session) -> tuple[Rest, int]:
            rest = resting.rest(session, handler.name)
            setbacks = settling.put_off(
                session,
                handler.name,
                batch.owed,
                describe(down),
                refund=int(batch.again),
                setback=not isinstance(down, ProviderLimited) and not (alone and rest.until),
            )
            return rest, setbacks

        rest, setbacks = in_transaction(self.sessions, put_off)
        log.warning(
            "provider_down",
            handler=handler.name,
            event_id=batch.owed[0].event_id if alone else None,
            error=str(down),
            resume_at=rest.until and rest.until.isoformat(),
        )
        key_refused = isinstance(down, KeyRefused) and rest.begins
        if key_refused or (alone and setbacks == settling.SETBACKS_TO_TELL):
            report_outage(self.sentry, handler, batch.owed[0], down)

    def hand_back(self, handler: Handler, batch: Batch) -> None:
        """The database was away in the middle: nobody's failure, if it takes the word now."""
        with suppress(OperationalError, InterfaceError):
            in_transaction(self.sessions, lambda session: give_back(session, handler, batch))


def give_back(session: Session, handler: Handler, batch: Batch) -> None:
    """What was not done, through no fault of its own, is due again at once and at no cost."""
    settling.release(session, handler.name, batch.owed, refund=int(batch.again))


def give_back_or_forget(session: Session, handler: Handler, batch: Batch) -> None:
    """Give back what is still owed; what is owed to events that are gone is forgotten."""
    settling.forget_orphans(session, handler.name, batch.owed)
    give_back(session, handler, batch)
