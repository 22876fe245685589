"""Runs handlers on what the relay sent: the effect, and with it the end of the debt."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker
from structlog.contextvars import bound_contextvars

from errors import ProviderDown
from events import Event, named_id, publish
from handlers import Handler, Kind
from models.database_errors import Trouble, trouble_of
from models.deliveries.lease import holds
from models.deliveries.take import ClaimedDelivery, claim, finish, put_back, take
from models.handlers import circuit_breaker
from models.transactions import in_transaction
from services import Services
from services.answers import Answers, counted_answers
from services.sentry import Sentry
from workers.batch import Batch, restore
from workers.failure_policy import describe, failures_of
from workers.failures import FailureWriter, give_back_or_forget
from workers.lease_renewal import LeaseRenewal
from workers.metrics import Metrics
from workers.tracing import report_outcomes, traced

log = structlog.get_logger()


@dataclass
class Runner:
    """Runs the handlers of one worker process, several batches side by side."""

    sessions: "sessionmaker[Session]"
    services: Services
    renewal: LeaseRenewal
    metrics: Metrics
    sentry: Sentry
    failures: FailureWriter = field(init=False)

    def __post_init__(self) -> None:
        self.failures = FailureWriter(self.sessions, self.metrics, self.sentry)

    def run(self, handler: Handler, batch: Batch) -> None:
        """Handle what is still owed of a batch. Never raises for what a handler does."""
        for part in batch.parts(handler.batch):
            try:
                if part.began_before and not self.failures.charge_first(handler, part):
                    continue
                with self.metrics.time(handler.name):
                    if handler.kind is Kind.TRANSACTIONAL:
                        self.attempt(handler, part, self.commit_effect)
                    else:
                        self.run_external(handler, part)
            except (DBAPIError, PoolTimeout) as error:
                if trouble_of(error) is None:
                    raise
                log.warning("database_away", handler=handler.name, error=describe(error))
                self.failures.give_back_if_possible(handler, part)

    def run_external(self, handler: Handler, batch: Batch) -> None:
        """Claim a batch, then call its provider while the lease is renewed."""
        claimed = in_transaction(
            self.sessions,
            lambda session: claim(
                session, handler.name, batch.leases, handler.lease, probe=batch.probe
            ),
        )
        if not claimed:
            in_transaction(
                self.sessions, lambda session: give_back_or_forget(session, handler, batch)
            )
            return
        by_id = {each.lease.event_id: each for each in claimed}
        mine = replace(batch, leases=[each.lease for each in claimed])
        with self.renewal.renewing(handler, mine.leases, refund=batch.charged):
            try:
                self.attempt(handler, mine, lambda h, part: self.call_provider(h, part, by_id))
            except (DBAPIError, PoolTimeout):
                self.failures.give_back_if_possible(handler, mine)
                raise

    def attempt(
        self, handler: Handler, batch: Batch, effect: Callable[[Handler, Batch], int]
    ) -> None:
        """Try; on failure halve, until the event that is to blame stands alone."""
        began = time.monotonic()
        try:
            done = effect(handler, batch)
        except ProviderDown as down:
            self.failures.defer(handler, batch, down)
        # The one wide `except` of the product: here any failure becomes a row.
        except Exception as error:
            trouble = trouble_of(error)
            if trouble is Trouble.AWAY:
                raise
            if trouble is not None:
                self.failures.postpone(handler, batch, error)
                return
            if batch.is_single:
                self.failures.fail(handler, batch, error)
                return
            for half in batch.parts((len(batch.leases) + 1) // 2):
                self.attempt(handler, half, effect)
        else:
            self.metrics.done(handler.name, done)
            log.info(
                "handled",
                handler=handler.name,
                events=done,
                event_id=batch.leases[0].event_id if batch.is_single else None,
                lease=batch.leases[0].token,
                ms=round((time.monotonic() - began) * 1000, 1),
            )

    def commit_effect(self, handler: Handler, batch: Batch) -> int:
        """Delete the debt and apply the effect in one transaction; return how many are done."""

        def work(session: Session) -> int:
            taken = take(session, handler.name, batch.leases)
            if not taken:
                give_back_or_forget(session, handler, batch)
                return 0
            events, outcomes = restore(handler, taken)
            if events:
                with self.observed(handler, taken, events, batch):
                    outcomes |= handler(events, session) or {}
            report_outcomes(self.sentry, handler, taken, events, outcomes, batch)
            if outcomes:
                undone = [each for each in taken if each.id in outcomes]
                put_back(session, handler.name, undone)
                failed = failures_of(undone, outcomes, charged=batch.charged)
                self.failures.write(session, handler, failed)
            close_circuit(session, handler, taken)
            return len(taken) - len(outcomes)

        return in_transaction(self.sessions, work)

    def call_provider(
        self, handler: Handler, batch: Batch, claimed: Mapping[str, ClaimedDelivery]
    ) -> int:
        """Call the provider, then delete the debt and publish what followed, if still owed."""
        mine = [claimed[lease.event_id] for lease in batch.leases]
        events, outcomes = restore(handler, mine)
        follow_ups: list[Event] = []
        answers = Answers()
        if events:
            keys = [str(named_id(handler.name, event.id)) for event in events]
            services = replace(self.services, holds_lease=lease_check(handler, mine))
            with self.observed(handler, mine, events, batch), counted_answers() as answers:
                answer = handler(events, services, keys if handler.batch > 1 else keys[0])
            if isinstance(answer, Mapping):
                outcomes |= answer
            elif answer is not None:
                follow_ups = [answer] if isinstance(answer, Event) else list(answer)
        report_outcomes(self.sentry, handler, mine, events, outcomes, batch)
        done = [each.lease for each in mine if each.id not in outcomes]
        undone = [each for each in mine if each.id in outcomes]

        # Follow-ups of a delivery whose lease another worker took over are left to that worker.
        # The circuit of a named provider is closed by its answer alone: work that never asked it
        # (of users who opted out, say) would let the others run into an outage that goes on.
        def end(session: Session) -> int:
            finished = finish(session, handler.name, done)
            publish(session, *(each for each in follow_ups if each.causation_id in finished))
            failed = failures_of(undone, outcomes, charged=batch.charged)
            self.failures.write(session, handler, failed)
            if answers.count or handler.provider is None:
                close_circuit(session, handler, mine)
            elif batch.probe:
                circuit_breaker.probe_again(session, handler.name)
            return len(finished)

        return in_transaction(self.sessions, end)

    @contextmanager
    def observed(
        self,
        handler: Handler,
        deliveries: Sequence[ClaimedDelivery],
        events: Sequence[Event],
        batch: Batch,
    ) -> Iterator[None]:
        """Have logs and traces of the block say what is handled."""
        ids = {event.id for event in events}
        mine = [each for each in deliveries if each.id in ids]
        with log_context(handler, mine, events), traced(self.sentry, handler, mine, events, batch):
            yield


def lease_check(
    handler: Handler, deliveries: Sequence[ClaimedDelivery]
) -> Callable[[Session, UUID], bool]:
    """What tells a handler whether an event is still its own: see Services."""
    leases = {each.id: each.lease for each in deliveries}
    return lambda session, event_id: holds(session, handler.name, leases[event_id])


def close_circuit(
    session: Session, handler: Handler, deliveries: Sequence[ClaimedDelivery]
) -> None:
    """The provider has answered: close the circuit, if it failed lately."""
    if deliveries[0].circuit_is_troubled:
        circuit_breaker.close(session, handler.name)


def log_context(
    handler: Handler, deliveries: Sequence[ClaimedDelivery], events: Sequence[Event]
) -> AbstractContextManager[None]:
    """Have every log line of the block say what is handled."""
    if len(events) != 1:
        return bound_contextvars(handler=handler.name, events=len(events))
    return bound_contextvars(
        handler=handler.name,
        event_id=str(events[0].id),
        lease=deliveries[0].token,
        correlation_id=str(events[0].correlation_id),
    )
