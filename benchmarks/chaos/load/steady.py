"""A load that stays the same each second, for every handler whose throughput is compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

from benchmarks.chaos.load.random_events import RandomEvents
from benchmarks.chaos.load.step import Step
from benchmarks.chaos.load.users import Fields, User
from benchmarks.chaos.system.events import ChaosHappened
from benchmarks.chaos.system.releases.next import Noted
from events import Event, PredictionMade, TrainingCompleted, TrainingProgressed, UserSignedUp

STEPS_PER_SECOND = 20  # transactions; the events of a second are spread over them
SQL_EVERY = 7  # each seventh transaction is in SQL, which rings no bell
USERS = 8  # their plan has no limits: a mark would be one event more
# What comes in turn: of each handler so much that its rate can be told within a few seconds.
TURNS = (
    "chaos", "prediction", "chaos", "note", "progress", "chaos", "prediction", "chaos",
    "prediction", "progress", "chaos", "prediction", "chaos", "note", "progress", "chaos",
    "prediction", "chaos", "prediction", "completed",
)  # fmt: skip
CAPACITY_EVENTS = 2_000  # of the backlog by which the capacity is measured


@dataclass
class SteadyLoad:
    """Makes the steady events; each progress belongs to the training that ends next."""

    draw: RandomEvents
    users: Sequence[User]
    numbers: Iterator[int] = field(default_factory=count)
    training: str = ""

    def sign_ups(self) -> Step:
        """The users' addresses, which those who mail about trainings need."""
        return Step(0, [self.sign_up(user) for user in self.users])

    def sign_up(self, user: User) -> Event:
        email = f"{user.id.hex[:8]}@example.com"
        return self.draw.event(UserSignedUp, 0, user_id=user.id, email=email, name="Ada")[1]

    def backlog(self) -> Iterator[Step]:
        """As many events as the capacity is measured by, all at once."""
        size = CAPACITY_EVENTS // STEPS_PER_SECOND
        for _ in range(STEPS_PER_SECOND):
            yield Step(0, [self.next_event(0) for _ in range(size)])

    def steps(self, rate: float, first: float, last: float) -> Iterator[Step]:
        """So many events a second between two moments (s)."""
        owed, number = 0.0, 0
        for number in range(int((last - first) * STEPS_PER_SECOND)):
            at = first + number / STEPS_PER_SECOND
            owed += rate / STEPS_PER_SECOND
            events = [self.next_event(at) for _ in range(int(owed))]
            owed -= len(events)
            if events:
                yield Step(at, events, in_sql=number % SQL_EVERY == 0)

    def next_event(self, at: float) -> Event:
        """The event whose turn it is."""
        number = next(self.numbers)
        turn, user = TURNS[number % len(TURNS)], self.users[number // len(TURNS) % USERS]
        if turn == "chaos":
            return self.draw.event(ChaosHappened, at)[1]
        if turn == "note":
            return self.draw.event(Noted, at, note=f"note {number}")[1]
        if turn == "prediction":
            return self.draw.event(
                PredictionMade, at, user_id=user.id, model_id="m", prediction_count=1
            )[1]
        return self.of_training(turn, user.id, number, at)

    def of_training(self, turn: str, user_id: UUID, number: int, at: float) -> Event:
        """A training's next event; all of one training are the same user's."""
        self.training = self.training or self.draw.new_id().hex
        ids: Fields = {"user_id": user_id, "training_id": self.training}
        if turn == "progress":
            percent = 100.0 * (number % len(TURNS)) / len(TURNS)
            return self.draw.event(TrainingProgressed, at, **ids, progress=percent, message="-")[1]
        self.training = ""
        return self.draw.event(
            TrainingCompleted,
            at,
            **ids,
            algorithm="random_forest",
            problem_type="classification",
            model_id="m",
            model_name="M",
            duration_seconds=1.0,
            accuracy=0.9,
        )[1]


def steady_users(draw: RandomEvents) -> list[User]:
    """Users of a plan without limits, who delete nothing."""
    return [User(draw.new_id(), "enterprise") for _ in range(USERS)]
