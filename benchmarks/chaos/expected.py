"""All that must follow from what was published, worked out without the product's own code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from benchmarks.chaos.events import ChaosHappened, WorkAsked
from benchmarks.chaos.ledger import Entry, Mark, Standing, entries, marks, standings
from benchmarks.chaos.letters import EmailContent, firsts, leavers, letters
from benchmarks.chaos.load import Load
from events import Event, NewsletterSubscribed, UserSignedUp, UserUpdated
from events.progress import TrainingProgress, progress_after_event
from events.trainings import TrainingEvent

Identity = tuple[str | None, str | None]


@dataclass(frozen=True)
class Expected:
    """What the database, the provider and the board must show in the end."""

    published: Sequence[UUID]
    ledger: Sequence[Entry]
    standings: dict[UUID, Standing]
    marks: Sequence[Mark]
    profiles: dict[UUID, Identity]
    rows: Sequence[UUID]
    dead: Sequence[UUID]
    calls: dict[str, Sequence[UUID]]
    news: dict[str, TrainingProgress]
    letters: Sequence[EmailContent]
    firsts: Sequence[str]
    readers: Sequence[str]
    left: set[UUID]


def expect(load: Load) -> Expected:
    """What must follow from a load."""
    events = load.events
    ledger = list(entries(events))
    happened = [event for event in events if isinstance(event, ChaosHappened)]
    signed_up = [event.id for event in events if isinstance(event, UserSignedUp)]
    poisonous = [event.id for event in happened if event.poisonous]
    many = [event.id for event in happened]
    passed = list(marks(ledger, load.people))
    return Expected(
        published=[event.id for event in events],
        ledger=ledger,
        standings=standings(ledger),
        marks=passed,
        profiles=profiles(events),
        rows=[each.id for each in happened if not each.poisonous] + signed_up,
        dead=poisonous,
        calls={
            "chaos_call": many,
            "chaos_batch": many + signed_up,
            "chaos_work": [event.id for event in events if isinstance(event, WorkAsked)],
        },
        news=newest_news(events),
        letters=list(dict.fromkeys(letters(events, passed))),
        firsts=firsts(events),
        readers=[event.email for event in events if isinstance(event, NewsletterSubscribed)],
        left=leavers(events),
    )


def profiles(events: Sequence[Event]) -> dict[UUID, Identity]:
    """Address and name as the newest news says; who left is not there."""
    left = leavers(events)
    known: dict[UUID, Identity] = {}
    for event in sorted(events, key=happened_at):
        if isinstance(event, UserSignedUp | UserUpdated) and event.user_id not in left:
            email, name = known.get(event.user_id, (None, None))
            known[event.user_id] = (event.email or email, event.name or name)
    return known


def newest_news(events: Sequence[Event]) -> dict[str, TrainingProgress]:
    """What the board must show of each training last."""
    newest: dict[str, TrainingProgress] = {}
    for event in sorted(events, key=happened_at):
        if isinstance(event, TrainingEvent):
            news = progress_after_event(event)
            known = newest.get(news.training_id)
            if known is None or not known.is_final:
                newest[news.training_id] = news
    return newest


def happened_at(event: Event) -> datetime:
    """When it happened."""
    return event.occurred_at
