"""What is published in a run: when, in which transactions, twice, late and out of order."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from benchmarks.chaos.draw import Draw, Timed
from benchmarks.chaos.events import ChaosHappened, WorkAsked
from benchmarks.chaos.people import User, life, some_people
from events import Event, NewsletterSubscribed

PEOPLE_PER_SECOND = 0.8
FEWEST_PEOPLE = 12
HAPPENS_PER_SECOND = 10
WORK_PER_SECOND = 0.6
READERS_PER_SECOND = 0.3
BURST, BURSTS_EVERY = 150, 6.0
POISONOUS = 0.01
DELAYED, LONGEST_DELAY = 0.25, 3.0
TWICE, SQL = 0.08, 0.15


@dataclass(frozen=True)
class Step:
    """One transaction of the publisher, `at` seconds after the start, in Python or in SQL."""

    at: float
    events: Sequence[Event]
    in_sql: bool = False


@dataclass(frozen=True)
class Load:
    """Everything that a run publishes; all of it is published, however long that takes."""

    people: Sequence[User]
    steps: Sequence[Step]

    @property
    def events(self) -> list[Event]:
        """Each event once."""
        return list({event.id: event for step in self.steps for event in step.events}.values())


def make_load(seed: int, seconds: float, start: datetime) -> Load:
    """The load of a seed, the same in every process."""
    draw = Draw(random.Random(seed), start)
    people = some_people(draw, max(FEWEST_PEOPLE, int(PEOPLE_PER_SECOND * seconds)))
    steps = [*steps_of_people(draw, people, seconds), *steps_of_chaos(draw, seconds)]
    steps += repeated(draw, steps, seconds)
    return Load(people, sorted(steps, key=lambda step: step.at))


def steps_of_people(draw: Draw, people: Sequence[User], seconds: float) -> Iterator[Step]:
    """Their lives, each begun at another time; some news comes later than it happened."""
    for person in people:
        first = draw.choice.uniform(0, seconds * 0.7)
        happened = sorted(life(draw, person, first, seconds), key=lambda timed: timed[0])
        while happened:
            size = draw.choice.choice((1, 1, 1, 2, 5))
            together, happened = happened[:size], happened[size:]
            yield step(draw, together, seconds)


def step(draw: Draw, together: Sequence[Timed], seconds: float) -> Step:
    """A transaction, held up now and then."""
    at = together[-1][0]
    if draw.chance(DELAYED):
        at = min(seconds, at + draw.choice.uniform(0, LONGEST_DELAY))
    return Step(at, [event for _, event in together], in_sql=draw.chance(SQL))


def steps_of_chaos(draw: Draw, seconds: float) -> Iterator[Step]:
    """A steady trickle, bursts that fill queues, and work that takes longer than its lease."""
    for at in draw.times(int(HAPPENS_PER_SECOND * seconds), 0, seconds):
        yield Step(at, [happening(draw, at)], in_sql=draw.chance(SQL))
    for at in draw.times(int(seconds / BURSTS_EVERY), 0, seconds):
        yield Step(at, [happening(draw, at) for _ in range(BURST)])
    for at in draw.times(int(READERS_PER_SECOND * seconds), 0, seconds):
        email = f"{draw.choice.getrandbits(32):08x}@example.com"
        yield Step(at, [draw.event(NewsletterSubscribed, at, email=email)[1]])
    for at in draw.times(int(WORK_PER_SECOND * seconds), 0, seconds):
        yield Step(at, [draw.event(WorkAsked, at, seconds=draw.choice.uniform(4, 6))[1]])


def happening(draw: Draw, at: float) -> Event:
    """Something that happens, now and then poisonous."""
    return draw.event(ChaosHappened, at, poisonous=draw.chance(POISONOUS))[1]


def repeated(draw: Draw, steps: Sequence[Step], seconds: float) -> Iterator[Step]:
    """Some transactions again: the same events, by the same ids, a little later."""
    for each in steps:
        if draw.chance(TWICE):
            at = min(seconds, each.at + draw.choice.uniform(0.1, 8))
            yield Step(at, each.events, in_sql=draw.chance(SQL))
