"""Everything that must follow from the events of a load."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from benchmarks.chaos.expected.providers import (
    ExpectedEmail,
    deleted_users,
    expected_emails,
    milestone_keys,
)
from benchmarks.chaos.expected.usage import (
    Counters,
    LedgerEntry,
    UsageMark,
    ledger_entries,
    usage_counters,
    usage_marks,
)
from benchmarks.chaos.load.steps import Load
from benchmarks.chaos.system.events import ChaosHappened, WorkAsked
from benchmarks.chaos.system.releases.next import Noted
from events import Event, NewsletterSubscribed, UserSignedUp, UserUpdated
from events.progress import TrainingProgress, progress_after_event
from events.trainings import TrainingEvent

# Email address and name.
Identity = tuple[str | None, str | None]


@dataclass(frozen=True)
class Expected:
    """What the database, the providers and the live progress must show in the end.

    `rows` are the events with a row of the chaos handlers, `notes` those with a row of each of
    the two handlers of which only one is in both releases, `dead` those whose delivery must be a
    dead letter, `calls` those with a call outside, by handler. `progress` is the last state of
    each training by its id, `deleted` the users who deleted their account, `erased` their sign-ups:
    of these it depends on the moment whether anything follows.
    """

    published: Sequence[UUID]
    ledger: Sequence[LedgerEntry]
    counters: dict[UUID, Counters]
    marks: Sequence[UsageMark]
    profiles: dict[UUID, Identity]
    rows: Sequence[UUID]
    notes: Sequence[UUID]
    dead: Sequence[UUID]
    calls: dict[str, Sequence[UUID]]
    progress: dict[str, TrainingProgress]
    emails: Sequence[ExpectedEmail]
    milestones: Sequence[str]
    subscribers: Sequence[str]
    deleted: set[UUID]
    erased: set[UUID]


def expected_effects(load: Load) -> Expected:
    """What must follow from a load."""
    events = load.events
    ledger = list(ledger_entries(events))
    marks = list(usage_marks(ledger, load.users))
    chaos = [event for event in events if isinstance(event, ChaosHappened)]
    chaos_ids = [event.id for event in chaos]
    deleted = deleted_users(events)
    sign_ups = [event for event in events if isinstance(event, UserSignedUp)]
    erased = {event.id for event in sign_ups if event.user_id in deleted}
    signed_up = [event.id for event in sign_ups if event.id not in erased]
    return Expected(
        published=[event.id for event in events],
        ledger=ledger,
        counters=usage_counters(ledger),
        marks=marks,
        profiles=newest_profiles(events),
        rows=[event.id for event in chaos if not event.poisonous] + signed_up,
        notes=[event.id for event in events if isinstance(event, Noted)],
        dead=[event.id for event in chaos if event.poisonous],
        calls={
            "chaos_call": chaos_ids,
            "chaos_batch": chaos_ids + signed_up,
            "chaos_patient": chaos_ids,
            "chaos_work": [event.id for event in events if isinstance(event, WorkAsked)],
        },
        progress=last_progress(events),
        emails=list(dict.fromkeys(expected_emails(events, marks))),
        milestones=milestone_keys(events),
        subscribers=[event.email for event in events if isinstance(event, NewsletterSubscribed)],
        deleted=deleted,
        erased=erased,
    )


def newest_profiles(events: Sequence[Event]) -> dict[UUID, Identity]:
    """Email and name of each user as their newest events say; deleted users have no profile."""
    deleted = deleted_users(events)
    known: dict[UUID, Identity] = {}
    for event in sorted(events, key=occurred_at):
        if isinstance(event, UserSignedUp | UserUpdated) and event.user_id not in deleted:
            email, name = known.get(event.user_id, (None, None))
            known[event.user_id] = (event.email or email, event.name or name)
    return known


def last_progress(events: Sequence[Event]) -> dict[str, TrainingProgress]:
    """The state of each training after its last event; a final state stays."""
    last: dict[str, TrainingProgress] = {}
    for event in sorted(events, key=occurred_at):
        if isinstance(event, TrainingEvent):
            state = progress_after_event(event)
            before = last.get(state.training_id)
            if before is None or not before.is_final:
                last[state.training_id] = state
    return last


def occurred_at(event: Event) -> datetime:
    return event.occurred_at
