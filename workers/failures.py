"""Writes what was not done as rows: failed, put off, given back, or dead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from errors import KeyRefused, ProviderDown, ProviderLimited, ProviderRefused
from events import publish
from handlers import Handler
from models import events as stored_events
from models.database_errors import trouble_of
from models.deliveries import failures
from models.deliveries.failures import SETBACKS_BEFORE_REPORT, Failure
from models.deliveries.lease import release
from models.handlers import circuit_breaker
from models.handlers.circuit_breaker import Circuit
from models.transactions import in_transaction
from services.sentry import Sentry
from workers.batch import Batch, restore
from workers.failure_policy import describe, failure_of
from workers.metrics import Metrics
from workers.tracing import report_death, report_outage

log = structlog.get_logger()


@dataclass
class FailureWriter:
    """The one place where whatever keeps deliveries from being done becomes a row."""

    sessions: "sessionmaker[Session]"
    metrics: Metrics
    sentry: Sentry

    def charge_first(self, handler: Handler, batch: Batch) -> bool:
        """Charge the attempt before it begins; return whether it may begin.

        The previous one ended without an outcome, so this one may kill its process too.
        """

        def charge(session: Session) -> dict[UUID, bool]:
            dead = failures.charge(session, handler.name, batch.leases, handler.max_attempts)
            self.dead_letter(session, handler, dead)
            return dead

        # Committed before the work begins: a charge in the work's own transaction would be rolled
        # back by the very crash that it counts.
        dead = in_transaction(self.sessions, charge)
        for lease in batch.leases:
            if dead.get(UUID(lease.event_id)):
                report_death(self.sentry, handler, lease)
        return bool(dead) and not any(dead.values())

    def fail(self, handler: Handler, batch: Batch, error: Exception) -> None:
        """Write the own failure of an event that stands alone, in a transaction of its own."""
        (lease,) = batch.leases
        log.warning(
            "event_failed",
            handler=handler.name,
            event_id=lease.event_id,
            lease=lease.token,
            error=describe(error),
        )

        def write(session: Session) -> None:
            self.write(session, handler, [failure_of(lease, error, charged=batch.charged)])
            if isinstance(error, ProviderRefused):
                circuit_breaker.close(session, handler.name)  # it answered, if with a no
            elif batch.probe:
                circuit_breaker.probe_again(session, handler.name)

        in_transaction(self.sessions, write)

    def write(self, session: Session, handler: Handler, failed: Sequence[Failure]) -> None:
        """Write failures in a transaction of the caller's, and count them."""
        if not failed:
            return
        self.metrics.failed(handler.name, len(failed))
        dead = failures.record(session, handler.name, failed, handler.max_attempts)
        self.dead_letter(session, handler, dead)

    def dead_letter(self, session: Session, handler: Handler, dead: Mapping[UUID, bool]) -> None:
        """Count what is dead, and publish what the handler's `on_death` makes of each event."""
        gone = [event_id for event_id, is_dead in dead.items() if is_dead]
        self.metrics.dead(handler.name, len(gone))
        if gone and handler.on_death is not None:
            events, _unreadable = restore(handler, stored_events.read(session, gone))
            is_over = handler.is_over
            waited_for = [each for each in events if not (is_over and is_over(each, session))]
            publish(session, *map(handler.on_death, waited_for))

    def defer(self, handler: Handler, batch: Batch, down: ProviderDown) -> None:
        """Put a batch off because its provider is down; open the circuit if it stays so.

        While the circuit is closed, the provider answers others: see failures.defer. A half-open
        circuit is probed by single events, so a batch that fails shrinks in any case.
        """

        def put_off(session: Session) -> tuple[Circuit, int]:
            circuit = circuit_breaker.count_failure(session, handler.name)
            setbacks = failures.defer(
                session,
                handler.name,
                batch.leases,
                describe(down),
                refund=batch.charged,
                setback=not isinstance(down, ProviderLimited)
                and not (batch.is_single and circuit.open_until),
            )
            return circuit, setbacks

        circuit, setbacks = in_transaction(self.sessions, put_off)
        log.warning(
            "provider_down",
            handler=handler.name,
            event_id=batch.leases[0].event_id if batch.is_single else None,
            error=str(down),
            resume_at=circuit.open_until and circuit.open_until.isoformat(),
        )
        # What no waiting ends is reported, once: a refused key, an event that is never taken.
        key_refused = isinstance(down, KeyRefused) and circuit.just_opened
        if key_refused or (batch.is_single and setbacks == SETBACKS_BEFORE_REPORT):
            report_outage(self.sentry, handler, batch.leases[0], down)

    def postpone(self, handler: Handler, batch: Batch, error: Exception) -> None:
        """Put a batch off that another transaction was in the way of, or whose session was ended.

        That is no event's failure, so no attempt is spent. It counts as a setback: the batch comes
        back in smaller parts and ever later, so that neighbours get away from a row that blocks.
        """

        def put_off(session: Session) -> None:
            failures.defer(
                session,
                handler.name,
                batch.leases,
                describe(error),
                setback=True,
                refund=batch.charged,
            )

        in_transaction(self.sessions, put_off)
        self.metrics.failed(handler.name, len(batch.leases))
        log.warning("transaction_postponed", handler=handler.name, error=describe(error))

    def give_back_if_possible(self, handler: Handler, batch: Batch) -> None:
        """Give a batch back that lost its database; if it is still away, the lease runs out."""
        try:
            in_transaction(self.sessions, lambda session: give_back(session, handler, batch))
        except (DBAPIError, PoolTimeout) as error:
            if trouble_of(error) is None:
                raise


def give_back(session: Session, handler: Handler, batch: Batch) -> None:
    """Make a batch due again at once and at no cost: that it was not done is not its failure."""
    release(session, handler.name, batch.leases, refund=batch.charged)


def give_back_or_forget(session: Session, handler: Handler, batch: Batch) -> None:
    """Give back what is still owed; forget what is owed to events that are gone."""
    failures.forget_orphans(session, handler.name, batch.leases)
    give_back(session, handler, batch)
