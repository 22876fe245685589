"""Claims a batch whose effect is at a provider, calls it, and then ends the debt."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from errors import ProviderDown
from events import Event, named_id, publish
from handlers import Handler
from models import batches
from models.database_errors import Trouble, trouble_of
from models.deliveries.claim import claim, finish
from models.deliveries.lease import holds
from models.handlers import circuit_breaker
from models.transactions import in_transaction
from services import Services
from services.answers import Answers, counted_answers
from services.sentry import Sentry
from workers.batch import Batch, restore, spent
from workers.failure_policy import describe
from workers.failures import FailureWriter, let_go
from workers.in_hand import InHand
from workers.metrics import Metrics
from workers.observation import log_handled, observed, outcome_of
from workers.tracing import report_outcomes


@dataclass
class ExternalWork:
    """Handles one batch after another for the threads of a process; no transaction is open then."""

    sessions: "sessionmaker[Session]"
    services: Services
    in_hand: InHand
    metrics: Metrics
    sentry: Sentry
    failures: FailureWriter
    counting: set[str] = field(default_factory=set)
    """Handlers without a provider whose clients count answers."""

    def run(self, handler: Handler, sent_at: float | None, *, calm: bool) -> Batch | None:
        """Claim what is due and handle it; None where nothing was. Raises DBAPIError."""
        note = None
        try:
            with self.sessions.begin() as session:
                taken = claim(session, handler.name, handler.batch, handler.lease, calm=calm)
                if not taken:
                    return None
                batch = Batch(taken, sent_at)
                self.metrics.taken(handler.name, len(taken))
                note = batches.open_batch(
                    session,
                    self.in_hand.process,
                    batch.first.handler_id,
                    batch.ids,
                    lease=handler.lease,
                    longest=handler.longest,
                )
                self.in_hand.add(note)
            self.attempt(handler, replace(batch, note=note), note)
        # Whatever it is, also what ends a thread: the note must not stay open.
        except BaseException as error:
            if note is not None:
                self.in_hand.lost(note, batch, "given back", error)
            raise
        return batch

    def attempt(self, handler: Handler, batch: Batch, note: int) -> None:
        """Call the provider with a batch, but for what was tried too often, and end the note."""
        outcomes: dict[UUID, Exception] = {**spent(handler, batch)}
        if outcomes:
            self.write_ends(handler, batch, outcomes)
        tried = batch.without(set(outcomes))
        done, error = 0, next(iter(outcomes.values()), None)
        if tried is not None:
            done, error = self.halve(handler, tried, whole=not outcomes)
        if self.in_hand.is_open(note):
            outcome = outcome_of(batch, len(batch.deliveries) - done)
            self.in_hand.close(note, outcome, describe(error) if error else None)

    def halve(
        self, handler: Handler, batch: Batch, *, whole: bool = False
    ) -> tuple[int, Exception | None]:
        """Call the provider with a batch; where that fails with its halves, down to single events.

        Where this is the `whole` of what was claimed, its note ends with the work. Returns how many
        are done, and the last error.
        """
        began = time.monotonic()
        try:
            done = self.call(handler, batch, began, whole=whole)
        except ProviderDown as down:
            self.write(handler, batch, down)
            return 0, down
        # Wide, since here any failure becomes a row.
        except Exception as error:
            trouble = trouble_of(error)
            if trouble is Trouble.AWAY:
                raise
            if trouble is not None or batch.is_single:
                self.write(handler, batch, error)
                return 0, error
            halves = [self.halve(handler, half) for half in batch.halves()]
            return sum(done for done, _ in halves), halves[-1][1] or halves[0][1]
        self.metrics.done(handler.name, done)
        log_handled(handler, batch, done, began)
        return done, None

    def call(self, handler: Handler, batch: Batch, began: float, *, whole: bool) -> int:
        """Call the provider, then delete the debt and publish what followed, if still owed."""
        outcomes: dict[UUID, Exception] = {}
        events, refused = restore(handler, batch.deliveries)
        outcomes |= refused
        follow_ups: list[Event] = []
        answers = Answers()
        if events:
            keys = [str(named_id(handler.name, event.id)) for event in events]
            services = replace(self.services, holds_lease=self.lease_check(handler, batch))
            with observed(self.sentry, handler, batch, events), counted_answers() as answers:
                answer = handler(events, services, keys if handler.batch > 1 else keys[0])
            if isinstance(answer, Mapping):
                outcomes |= answer
            elif answer is not None:
                follow_ups = [answer] if isinstance(answer, Event) else list(answer)
        report_outcomes(self.sentry, handler, batch, events, outcomes)
        answered = self.was_answered(handler, answers)

        def end(session: Session) -> int:
            took = (time.monotonic() - began) * 1000
            ours = self.close(session, batch, outcomes, took) if whole else self.has(session, batch)
            if not ours:
                return 0
            return self.end(session, handler, batch, outcomes, follow_ups, answered=answered)

        done = in_transaction(self.sessions, end)
        if whole and batch.note is not None:
            self.in_hand.ended(batch.note)
        return done

    def has(self, session: Session, batch: Batch) -> bool:
        """Whether a claimed batch is still in this process's hand: see claim.py."""
        note, first = batch.note, batch.first.id
        return note is not None and batches.is_in_hand(session, self.in_hand.process, note, first)

    def close(
        self, session: Session, batch: Batch, outcomes: Mapping[UUID, Exception], ms: float
    ) -> bool:
        """End the note of a claimed batch; False where it is in this process's hand no more."""
        if batch.note is None:
            return False
        error = describe(next(iter(outcomes.values()))) if outcomes else None
        outcome, process = outcome_of(batch, len(outcomes)), self.in_hand.process
        first = batch.first.id
        ended = batches.close(session, process, batch.note, outcome, ms, error, first=first)
        return ended is not None

    def was_answered(self, handler: Handler, answers: Answers) -> bool:
        """Whether whom the handler calls has answered.

        A handler without a provider calls Redis, or clients of its own, which count nothing: such
        work tells something where it never counted an answer.
        """
        if handler.provider is not None:
            return answers.count > 0
        if answers.count or answers.redis:
            self.counting.add(handler.name)
        return answers.count + answers.redis > 0 or handler.name not in self.counting

    def end(
        self,
        session: Session,
        handler: Handler,
        batch: Batch,
        outcomes: Mapping[UUID, Exception],
        follow_ups: Sequence[Event],
        *,
        answered: bool,
    ) -> int:
        """End the debt of what is done and write the rest; return how many are done.

        Follow-ups of a delivery whose lease another worker took over are left to that worker. The
        circuit of a named provider is closed by its answer alone: work that never asked it (of
        users who opted out, say) would let the others run into an outage that goes on.
        """
        leases = [each.lease for each in batch.deliveries if each.id not in outcomes]
        finished = finish(session, handler.name, leases)
        publish(session, *(each for each in follow_ups if each.causation_id in finished))
        dead = self.failures.write_outcomes(session, handler, batch.deliveries, outcomes)
        let_go(session, handler, batch, [*finished, *dead])
        if answered and batch.first.circuit_is_troubled:
            circuit_breaker.close(session, handler.name)
        elif not answered and batch.first.is_probe:
            circuit_breaker.probe_again(session, handler.name)
        return len(finished)

    def write(self, handler: Handler, batch: Batch, error: Exception) -> None:
        """Write why a batch was not done, in a transaction of its own."""

        def end(session: Session) -> None:
            if self.has(session, batch):
                dead = self.failures.write(session, handler, batch, error)
                let_go(session, handler, batch, dead)

        in_transaction(self.sessions, end)

    def write_ends(
        self, handler: Handler, batch: Batch, outcomes: Mapping[UUID, Exception]
    ) -> None:
        """Write the deaths of those that were tried too often, in a transaction of its own."""
        report_outcomes(self.sentry, handler, batch, [], outcomes)

        def end(session: Session) -> None:
            if self.has(session, batch):
                dead = self.failures.write_outcomes(session, handler, batch.deliveries, outcomes)
                let_go(session, handler, batch, dead)

        in_transaction(self.sessions, end)

    def lease_check(self, handler: Handler, batch: Batch) -> Callable[[Session, UUID], bool]:
        """What tells a handler whether an event is still its own: see Services."""
        leases = {each.id: each.lease for each in batch.deliveries}
        return lambda session, event_id: (
            self.has(session, batch) and holds(session, handler.name, leases[event_id])
        )
