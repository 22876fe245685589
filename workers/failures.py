"""Writes what was not done as rows: failed, put off, or dead."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from errors import KeyRefused, ProviderDown, ProviderLimited, ProviderRefused
from events import publish, ring_when_committed
from handlers import Handler
from models import events as stored_events
from models.database_errors import trouble_of
from models.deliveries import dependencies, failures
from models.deliveries.failures import SETBACKS_BEFORE_REPORT
from models.deliveries.take import TakenDelivery
from models.handlers import circuit_breaker
from services.sentry import Sentry
from workers.batch import Batch, restore
from workers.failure_policy import describe, failure_of
from workers.metrics import Metrics
from workers.tracing import report_outage

log = structlog.get_logger()


@dataclass
class FailureWriter:
    """The one place where whatever keeps deliveries from being done becomes a row.

    Each method writes in the caller's transaction.
    """

    metrics: Metrics
    sentry: Sentry

    def write(
        self, session: Session, handler: Handler, batch: Batch, error: Exception
    ) -> list[UUID]:
        """Write why a batch was not done; return what is dead now, for `let_go`.

        One that is not single is put off as a whole.
        """
        if isinstance(error, ProviderDown):
            self.defer(session, handler, batch, error)
        elif trouble_of(error) is not None:
            self.postpone(session, handler, batch, error)
        else:
            return self.fail(session, handler, batch.first, error)
        return []

    def fail(
        self, session: Session, handler: Handler, delivery: TakenDelivery, error: Exception
    ) -> list[UUID]:
        """Write the own failure of an event that stood alone; return its id where it is dead."""
        log.warning(
            "event_failed",
            handler=handler.name,
            event_id=str(delivery.id),
            lease=delivery.token,
            error=describe(error),
        )
        dead = self.write_outcomes(session, handler, [delivery], {delivery.id: error})
        if isinstance(error, ProviderRefused):
            circuit_breaker.close(session, handler.name)  # it answered, if with a no
        elif delivery.is_probe:
            circuit_breaker.probe_again(session, handler.name)
        return dead

    def write_outcomes(
        self,
        session: Session,
        handler: Handler,
        deliveries: Sequence[TakenDelivery],
        outcomes: Mapping[UUID, Exception],
    ) -> list[UUID]:
        """Write what a handler said of single events, and count it; return what is dead now."""
        failed = [
            failure_of(each.lease, outcomes[each.id]) for each in deliveries if each.id in outcomes
        ]
        if not failed:
            return []
        self.metrics.failed(handler.name, len(failed))
        written = failures.record(session, handler.name, failed, handler.max_attempts)
        dead = [event_id for event_id, is_dead in written.items() if is_dead]
        if dead:
            self.dead_letter(session, handler, dead)
        return dead

    def dead_letter(self, session: Session, handler: Handler, dead: Collection[UUID]) -> None:
        """Count what is dead, and publish what the handler's `on_death` makes of each event."""
        self.metrics.dead(handler.name, len(dead))
        if handler.on_death is not None:
            events, _unreadable = restore(handler, stored_events.read(session, dead))
            is_over = handler.is_over
            waited_for = [each for each in events if not (is_over and is_over(each, session))]
            publish(session, *map(handler.on_death, waited_for))

    def defer(self, session: Session, handler: Handler, batch: Batch, down: ProviderDown) -> None:
        """Put a batch off because its provider is down; open the circuit if it stays so.

        While the circuit is closed, the provider answers others: see failures.defer. A half-open
        circuit is probed by single events, so a batch that fails shrinks in any case.
        """
        circuit = circuit_breaker.count_failure(session, handler.name)
        setback = not isinstance(down, ProviderLimited) and not (
            batch.is_single and circuit.open_until
        )
        error = describe(down)
        setbacks = failures.defer(session, handler.name, batch.leases, error, setback=setback)
        log.warning(
            "provider_down",
            handler=handler.name,
            event_id=str(batch.first.id) if batch.is_single else None,
            error=str(down),
            resume_at=circuit.open_until and circuit.open_until.isoformat(),
        )
        # What no waiting ends is reported, once: a refused key, an event that is never taken.
        key_refused = isinstance(down, KeyRefused) and circuit.just_opened
        if key_refused or (batch.is_single and setbacks == SETBACKS_BEFORE_REPORT):
            report_outage(self.sentry, handler, batch.first, down)

    def postpone(self, session: Session, handler: Handler, batch: Batch, error: Exception) -> None:
        """Put a batch off that another transaction was in the way of.

        That is no event's failure, so no attempt is spent. It counts as a setback: the batch comes
        back in smaller parts and ever later, so that neighbours get away from a row that blocks.
        """
        failures.defer(session, handler.name, batch.leases, describe(error), setback=True)
        self.metrics.failed(handler.name, len(batch.deliveries))
        log.warning("transaction_postponed", handler=handler.name, error=describe(error))


def let_go(session: Session, handler: Handler, batch: Batch, ended: Collection[UUID]) -> None:
    """Let go on what waits for the handler with these events, which are done or dead.

    Once per transaction, with all of them: so the rows of others are locked in one order.
    """
    if batch.first.precedes and dependencies.release(session, handler.name, ended):
        ring_when_committed(session)
