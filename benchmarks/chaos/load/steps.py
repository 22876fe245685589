"""The load of a run: transactions, some of them delayed, repeated or published in plain SQL."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from benchmarks.chaos.load.random_events import RandomEvents, TimedEvent
from benchmarks.chaos.load.steady import SteadyLoad, steady_users
from benchmarks.chaos.load.step import Step
from benchmarks.chaos.load.users import Fields, User, events_of_user, random_users
from benchmarks.chaos.system.events import ChaosHappened, WorkAsked
from benchmarks.chaos.system.releases.next import Noted
from events import Event, NewsletterSubscribed

USERS_PER_SECOND = 0.8
FEWEST_USERS = 12  # so that a run of a few seconds has users on every plan
CHAOS_EVENTS_PER_SECOND = 10
WORK_PER_SECOND = 0.6
NOTES_PER_SECOND = 1
SUBSCRIBERS_PER_SECOND = 0.3
BURST_EVENTS, BURST_INTERVAL = 150, 6.0  # s between bursts; one fills several batches of 40
POISONOUS_SHARE = 0.01
DELAYED_SHARE, LONGEST_DELAY = 0.25, 3.0  # s, so that events arrive out of order
REPEATED_SHARE, SQL_SHARE = 0.08, 0.15


@dataclass(frozen=True)
class Load:
    """Everything that a run publishes; all of it is published, however long that takes."""

    users: Sequence[User]
    steps: Sequence[Step]

    @property
    def events(self) -> list[Event]:
        """Each event once, also where its step is repeated."""
        return list({event.id: event for step in self.steps for event in step.events}.values())

    def __add__(self, other: "Load") -> "Load":
        return Load([*self.users, *other.users], [*self.steps, *other.steps])


@dataclass(frozen=True)
class SteadyPart:
    """So many events a second between two moments (s after the start)."""

    rate: float
    first: float
    last: float


def steady_load(seed: int, start: datetime) -> SteadyLoad:
    """What makes the steady events of a seed, which are others after another start."""
    users = steady_users(RandomEvents(random.Random(f"users {seed}"), start))
    return SteadyLoad(RandomEvents(random.Random(f"{seed} {start}"), start), users)


def first_load(seed: int, start: datetime, *, with_backlog: bool) -> Load:
    """What is published before the rest: the users of the steady part, and a backlog."""
    steady = steady_load(seed, start)
    return Load(steady.users, [steady.sign_ups(), *(steady.backlog() if with_backlog else ())])


def make_load(seed: int, seconds: float, start: datetime, steady: SteadyPart | None = None) -> Load:
    """The load of a seed, the same in every process.

    It is random for so many seconds; then, if that is asked for, steady.
    """
    draw = RandomEvents(random.Random(seed), start)
    users = random_users(draw, max(FEWEST_USERS, int(USERS_PER_SECOND * seconds)))
    steps = [*steps_of_users(draw, users, seconds), *chaos_steps(draw, seconds)]
    steps += repeated_steps(draw, steps, seconds)
    if steady is not None:
        steps += steady_load(seed, start).steps(steady.rate, steady.first, steady.last)
    return Load(users, sorted(steps, key=lambda step: step.at))


def steps_of_users(draw: RandomEvents, users: Sequence[User], seconds: float) -> Iterator[Step]:
    """The users' events in the order in which they happened, one to five in a transaction."""
    for user in users:
        first = draw.random.uniform(0, seconds * 0.7)
        left = sorted(events_of_user(draw, user, first, seconds), key=lambda timed: timed[0])
        while left:
            size = draw.random.choice((1, 1, 1, 2, 5))
            together, left = left[:size], left[size:]
            yield user_step(draw, together, seconds)


def user_step(draw: RandomEvents, together: Sequence[TimedEvent], seconds: float) -> Step:
    """A transaction that holds these events, delayed in a share of cases."""
    at = together[-1][0]
    if draw.chance(DELAYED_SHARE):
        at = min(seconds, at + draw.random.uniform(0, LONGEST_DELAY))
    return Step(at, [event for _, event in together], in_sql=draw.chance(SQL_SHARE))


def chaos_steps(draw: RandomEvents, seconds: float) -> Iterator[Step]:
    """A steady trickle, bursts that fill queues, and work that takes longer than its lease."""
    for at in draw.times(int(CHAOS_EVENTS_PER_SECOND * seconds), 0, seconds):
        yield Step(at, [chaos_event(draw, at)], in_sql=draw.chance(SQL_SHARE))
    for at in draw.times(int(seconds / BURST_INTERVAL), 0, seconds):
        yield Step(at, [chaos_event(draw, at) for _ in range(BURST_EVENTS)])
    for at in draw.times(int(SUBSCRIBERS_PER_SECOND * seconds), 0, seconds):
        email = f"{draw.random.getrandbits(32):08x}@example.com"
        yield Step(at, [draw.event(NewsletterSubscribed, at, email=email)[1]])
    for number, at in enumerate(draw.times(int(NOTES_PER_SECOND * seconds), 0, seconds)):
        note: Fields = {"note": f"note {number}"} if draw.chance(0.5) else {}
        yield Step(at, [draw.event(Noted, at, **note)[1]], in_sql=draw.chance(SQL_SHARE))
    for at in draw.times(int(WORK_PER_SECOND * seconds), 0, seconds):
        yield Step(at, [draw.event(WorkAsked, at, seconds=draw.random.uniform(4, 6))[1]])


def chaos_event(draw: RandomEvents, at: float) -> Event:
    return draw.event(ChaosHappened, at, poisonous=draw.chance(POISONOUS_SHARE))[1]


def repeated_steps(draw: RandomEvents, steps: Sequence[Step], seconds: float) -> Iterator[Step]:
    """A share of the transactions again a little later: the same events under the same ids."""
    for step in steps:
        if draw.chance(REPEATED_SHARE):
            at = min(seconds, step.at + draw.random.uniform(0.1, 8))
            yield Step(at, step.events, in_sql=draw.chance(SQL_SHARE))
