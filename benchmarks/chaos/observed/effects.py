"""Reads what a run left behind: in the database, at the providers, in live progress."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from benchmarks.chaos.expected.effects import Identity
from benchmarks.chaos.expected.providers import ANALYTICS_TYPES
from benchmarks.chaos.expected.usage import Counters, LedgerEntry, UsageMark
from benchmarks.chaos.observed.progress import ObservedProgress
from benchmarks.chaos.observed.providers import ProviderData
from benchmarks.chaos.system.events import GivenUp, WorkDone
from benchmarks.chaos.system.provider_double import Call

# Each statement reads one table whole: `compare` finds what is missing, too much or wrong in it.
EVENTS = text("SELECT id FROM insights.events")
# Of the database and not of the load, because follow-up events have ids of their own.
# Of users who deleted their account, analytics keeps nothing.
ANALYTICS_EVENTS = text("""
    SELECT id FROM insights.events WHERE type = ANY (:types) AND user_id NOT IN (
        SELECT d.user_id FROM insights.events d WHERE d.type = 'user.deleted')
""")
# By their causes, because the chaos handlers give follow-up events random ids.
FOLLOW_UPS = text("SELECT id, causation_id FROM insights.events WHERE type = :type")
# In the form of a usage mark: for each mark there must be one such event.
LIMIT_EVENTS = text("""
    SELECT user_id, data ->> 'resource', data ->> 'month', CAST(data ->> 'limit' AS integer),
           coalesce(data ->> 'threshold', 'exceeded')
    FROM insights.events WHERE type IN ('usage.threshold_reached', 'usage.limit_exceeded')
""")
LEDGER = text("SELECT event_id, user_id, resource, amount, month FROM insights.usage_ledger")
MARKS = text('SELECT user_id, resource, month, "limit", mark FROM insights.usage_marks')
COUNTERS = text("""
    SELECT user_id, datasets_count, trainings_this_month, predictions_this_month, month_year
    FROM public.usage_limits
""")
PROFILES = text("SELECT id, email, name FROM public.profiles")
ROWS = text("SELECT event_id FROM chaos.rows")
TALLY = text("SELECT rows FROM chaos.tally")
NOTES = text("SELECT event_id FROM chaos.notes")
NEXT_NOTES = text("SELECT event_id FROM chaos.next_notes")
DELIVERIES = text("""
    SELECT handler, event_id, died_at IS NOT NULL, last_error FROM insights.delivery_states
""")


class FollowUp(NamedTuple):
    """A follow-up event, and the event that it followed from."""

    id: UUID
    cause: UUID


class RemainingDelivery(NamedTuple):
    """A delivery that is still there."""

    handler: str
    event_id: UUID
    dead: bool
    error: str | None


@dataclass(frozen=True)
class Observed:
    """Everything that is there in the end, each as often as it is there.

    `analytics_events` are the events that analytics must have, `calls` what the chaos handlers
    asked of their provider. `tally` is how many rows were counted as they were inserted;
    `next_notes` are the rows of the handler that only the next release has.
    """

    events: Sequence[UUID]
    analytics_events: Sequence[UUID]
    work_done: Sequence[FollowUp]
    given_up: Sequence[FollowUp]
    limit_events: Sequence[UsageMark]
    ledger: Sequence[LedgerEntry]
    marks: Sequence[UsageMark]
    counters: Mapping[UUID, Counters]
    profiles: Mapping[UUID, Identity]
    rows: Sequence[UUID]
    tally: int
    notes: Sequence[UUID]
    next_notes: Sequence[UUID]
    deliveries: Sequence[RemainingDelivery]
    calls: Sequence[Call]
    progress: ObservedProgress
    providers: ProviderData


def observed_effects(
    connection: Connection,
    calls: Sequence[Call],
    progress: ObservedProgress,
    providers: ProviderData,
) -> Observed:
    """Everything in the database together with what was seen elsewhere."""
    read = connection.execute
    return Observed(
        events=list(connection.scalars(EVENTS)),
        analytics_events=list(
            connection.scalars(ANALYTICS_EVENTS, {"types": list(ANALYTICS_TYPES)})
        ),
        work_done=follow_ups(connection, WorkDone.type),
        given_up=follow_ups(connection, GivenUp.type),
        limit_events=[UsageMark(*row) for row in read(LIMIT_EVENTS)],
        ledger=[LedgerEntry(*row) for row in read(LEDGER)],
        marks=[UsageMark(*row) for row in read(MARKS)],
        counters={row[0]: Counters(*row[1:]) for row in read(COUNTERS)},
        profiles={row[0]: (row[1], row[2]) for row in read(PROFILES)},
        rows=list(connection.scalars(ROWS)),
        tally=connection.scalars(TALLY).one(),
        notes=list(connection.scalars(NOTES)),
        next_notes=list(connection.scalars(NEXT_NOTES)),
        deliveries=[RemainingDelivery(*row) for row in read(DELIVERIES)],
        calls=calls,
        progress=progress,
        providers=providers,
    )


def follow_ups(connection: Connection, type_: str) -> list[FollowUp]:
    return [FollowUp(*row) for row in connection.execute(FOLLOW_UPS, {"type": type_})]
