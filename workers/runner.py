"""Handles a batch that the relay sent: the effect, and what becomes of each delivery."""

import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy import Row
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from errors import InsightsError, ProviderDown
from events import Event, named_id, publish
from handlers import Handler, Kind, Outcome, Reject, RetryLater
from models import leases
from models.leases import Owed, Verdict
from services import Services
from workers.keeper import LeaseKeeper
from workers.metrics import Metrics

log = structlog.get_logger()
Result = TypeVar("Result")
PAUSES = (0.05, 0.2, 0.5, 1, 2, 4, 4, 4)


@dataclass(frozen=True)
class Batch:
    """What one message carries; see Leased for `again` and `probe`."""

    owed: Sequence[Owed]
    again: bool = False
    probe: bool = False

    def parts(self, size: int) -> "Iterator[Batch]":
        """The batch in parts of at most `size`: a relay of another version may send more."""
        for start in range(0, len(self.owed), size):
            yield replace(self, owed=self.owed[start : start + size])


@dataclass
class Runner:
    """Runs handlers; the one place where any failure becomes a row."""

    sessions: "sessionmaker[Session]"
    services: Services
    keeper: LeaseKeeper
    metrics: Metrics
    troubled: set[str] = field(default_factory=set)

    def run(self, handler: Handler, batch: Batch) -> None:
        """Handle what is still owed of a batch. Never raises for what a handler does."""
        for part in batch.parts(handler.batch):
            try:
                if part.again and not self.begin_again(handler, part):
                    continue
                with self.metrics.time(handler.name):
                    self.start(handler, part)
            except (OperationalError, InterfaceError) as away:
                log.warning("database_away", handler=handler.name, error=type(away.orig).__name__)

    def begin_again(self, handler: Handler, batch: Batch) -> bool:
        """Count the attempt before it begins, and tell whether it may: the last left no word."""

        def begin(session: Session) -> dict[UUID, bool]:
            dead = leases.charge(session, handler.name, batch.owed, handler.max_attempts)
            self.bury(session, handler, dead)
            return dead

        dead = self.in_transaction(begin)
        return bool(dead) and not any(dead.values())

    def start(self, handler: Handler, batch: Batch) -> None:
        """Attempt a transactional batch; claim an external one first and keep its lease."""
        if handler.kind is Kind.TRANSACTIONAL:
            self.attempt(handler, batch, self.commit_effect)
            return
        rows = self.in_transaction(
            lambda session: leases.claim(
                session, handler.name, batch.owed, handler.lease, probe=batch.probe
            )
        )
        if not rows:
            self.in_transaction(lambda s: leases.release(s, handler.name, batch.owed))
            return
        claimed = {row.id.hex: row for row in rows}
        held = replace(batch, owed=leases.owed_by(rows))
        with self.keeper.keep(handler, held.owed, refund=int(batch.again)):
            self.attempt(handler, held, lambda h, part: self.call_out(h, part, claimed))

    def attempt(
        self, handler: Handler, batch: Batch, effect: Callable[[Handler, Batch], int]
    ) -> None:
        """Try; on failure halve, until the event that is to blame stands alone."""
        try:
            done = effect(handler, batch)
        except (OperationalError, InterfaceError):
            raise
        except ProviderDown as down:
            self.rest(handler, batch, down)
        except Exception as error:  # noqa: BLE001 (the one place where any failure becomes a row)
            if len(batch.owed) > 1:
                for half in batch.parts((len(batch.owed) + 1) // 2):
                    self.attempt(handler, half, effect)
            else:
                self.settle(handler, [(batch.owed[0], error)], again=batch.again)
        else:
            self.metrics.done(handler.name, done)

    def commit_effect(self, handler: Handler, batch: Batch) -> int:
        """Effect and deletion of the debt in one transaction; returns how many are done."""

        def work(session: Session) -> int:
            rows = leases.take(session, handler.name, batch.owed)
            if not rows:
                return 0
            events, broken = restore(handler, rows)
            outcomes = broken | (handler(events, session) or {} if events else {})
            if outcomes:
                back = [row for row in rows if row.id in outcomes]
                leases.put_back(session, handler.name, back)
                self.write(session, handler, verdicts(back, outcomes, again=batch.again))
            return len(rows) - len(outcomes)

        return self.in_transaction(work)

    def call_out(self, handler: Handler, batch: Batch, claimed: Mapping[str, Row[Any]]) -> int:
        """Call the provider, then delete the debt and publish what followed, if it still holds."""
        rows = [claimed[owed.event_id] for owed in batch.owed]
        events, outcomes = restore(handler, rows)
        followers: list[Event] = []
        if events:
            keys = [str(named_id(handler.name, event.id)) for event in events]
            answer = handler(events, self.services, keys if handler.batch > 1 else keys[0])
            if isinstance(answer, Mapping):
                outcomes |= answer
            elif answer is not None:
                followers = [answer] if isinstance(answer, Event) else list(answer)
        done = leases.owed_by(row for row in rows if row.id not in outcomes)
        back = [row for row in rows if row.id in outcomes]

        def close(session: Session) -> int:
            finished = leases.finish(session, handler.name, done)
            publish(session, *(f for f in followers if f.causation_id in finished))
            self.write(session, handler, verdicts(back, outcomes, again=batch.again))
            if handler.name in self.troubled or batch.probe:
                leases.recover(session, handler.name)
                self.troubled.discard(handler.name)
            return len(finished)

        return self.in_transaction(close)

    def settle(
        self, handler: Handler, failures: Sequence[tuple[Owed, Exception]], *, again: bool
    ) -> None:
        """Write failures as rows, in a transaction of their own."""
        for owed, error in failures:
            log.warning(
                "event_failed",
                handler=handler.name,
                event_id=owed.event_id,
                lease=owed.lease,
                error=describe(error),
            )
        written = [verdict(owed, error, again=again) for owed, error in failures]
        self.in_transaction(lambda session: self.write(session, handler, written))

    def write(self, session: Session, handler: Handler, written: Sequence[Verdict]) -> None:
        """Write verdicts and count them."""
        if not written:
            return
        self.metrics.failed(handler.name, len(written))
        dead = leases.settle(session, handler.name, written, handler.max_attempts)
        self.bury(session, handler, dead)

    def bury(self, session: Session, handler: Handler, dead: Mapping[UUID, bool]) -> None:
        """Tell those who wait for an outcome that there will be none, as the handler wishes."""
        gone = [event_id for event_id, is_dead in dead.items() if is_dead]
        self.metrics.dead(handler.name, len(gone))
        if gone and handler.on_death is not None:
            events, _unreadable = restore(handler, leases.read(session, gone))
            publish(session, *map(handler.on_death, events))

    def rest(self, handler: Handler, batch: Batch, down: ProviderDown) -> None:
        """The provider is down: give everything back, and let the handler rest if it stays so."""
        self.troubled.add(handler.name)

        def give_back(session: Session) -> None:
            resume_at = leases.rest(session, handler.name)
            leases.release(session, handler.name, batch.owed, refund=int(batch.again))
            log.warning(
                "provider_down",
                handler=handler.name,
                error=str(down),
                resume_at=resume_at and resume_at.isoformat(),
            )

        self.in_transaction(give_back)

    def in_transaction(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` in a transaction; try again while the database is away or deadlocked."""
        for pause in (*PAUSES, None):
            try:
                with self.sessions.begin() as session:
                    return work(session)
            except (OperationalError, InterfaceError):
                if pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")


def restore(handler: Handler, rows: Sequence[Row[Any]]) -> tuple[list[Event], dict[UUID, Outcome]]:
    """The events of rows; those that do not fit their type are rejected, not handled."""
    events: list[Event] = []
    broken: dict[UUID, Outcome] = {}
    of_type: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        of_type[row.type].append(row)
    for type_, same in of_type.items():
        try:
            events += handler.types[type_].restore([row.body for row in same])
        except (KeyError, ValueError) as error:
            if len(same) > 1:
                for row in same:
                    one, none = restore(handler, [row])
                    events += one
                    broken |= none
            else:
                reason = f"The stored event cannot be read: {unreadable(error)}."
                broken[same[0].id] = Reject(reason)
    return events, broken


def verdicts(
    rows: Sequence[Row[Any]], outcomes: Mapping[UUID, Outcome], *, again: bool
) -> list[Verdict]:
    """What becomes of the rows that a handler left undone."""
    return [verdict(Owed(row.id.hex, row.leases), outcomes[row.id], again=again) for row in rows]


def verdict(owed: Owed, error: Exception, *, again: bool) -> Verdict:
    """What an outcome or an error makes of a delivery; `again` was charged when it began."""
    charged = int(again)
    match error:
        case RetryLater(after=after):
            return Verdict(owed, describe(error), charge=-charged, after=after)
        case Reject():
            return Verdict(owed, describe(error), charge=1 - charged, dead=True)
        case _:
            return Verdict(owed, describe(error), charge=1 - charged)


def describe(error: Exception) -> str:
    """An error for `last_error`: our own sentences whole, a stranger's by its name and place.

    What a stranger's message quotes may be personal data.
    """
    if isinstance(error, InsightsError):
        return str(error)[:500]
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def unreadable(error: Exception) -> str:
    """Which fields do not fit, without what they hold."""
    if isinstance(error, ValidationError):
        fields = error.errors(include_input=False, include_url=False, include_context=False)
        return "; ".join(f"{'.'.join(map(str, f['loc'][1:]))}: {f['msg']}" for f in fields)[:450]
    return describe(error)
