"""(g) How fast events reach providers, how well limits are kept, and what Redis is asked for it.

Analytics goes to a double in a process of its own, on the same cores, beside a handler that
writes the same events to the database. Emails are counted where they arrive.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from benchmarks import doubles, ours
from benchmarks.errors import BenchFailed
from benchmarks.figures import Figure, at_least, at_most
from benchmarks.ground import Ground
from benchmarks.load import AT_ONCE, clear, pause, resume
from benchmarks.meter import Meter
from benchmarks.site import Site, site
from benchmarks.sizes import Sizes
from events import (
    DatasetUploaded,
    Event,
    PredictionMade,
    TrainingCompleted,
    TrainingProgressed,
    UserSignedUp,
    UserUpdated,
    publish,
    uuid7,
)

USERS = 200
MANY = 2_000
WELCOMES = 10
MAILING = ("emails", "emails_awaited")
ADDRESSES = "UPDATE public.profiles SET email = id || '@example.com'"


@dataclass(frozen=True)
class Providers:
    """Rates a second, `busiest` in requests of one second, commands of Redis per event.

    `welcome` is the longest wait of one that comes in the middle of a flood of other mails.
    """

    analytics: float
    database: float
    emails: float
    busiest: float
    refused: float
    welcome: float
    usage: float
    usage_meanwhile: float
    commands: Mapping[str, float]

    def figures(self) -> Sequence[Figure]:
        """All of them."""
        meanwhile = self.usage_meanwhile / self.usage
        return (
            Figure("providers", "analytics alone", self.analytics, "events/s"),
            Figure("providers", "a database handler alone", self.database, "events/s"),
            Figure("providers", "analytics / database", self.analytics / self.database, "×"),
            Figure("providers", "emails, limit 8", self.emails, "per s", at_least(7.2)),
            Figure("providers", "requests in the busiest second", self.busiest, "", at_most(10)),
            Figure("providers", "requests that Loops refused", self.refused, "", at_most(0)),
            Figure("providers", "a welcome in a flood of mails", self.welcome, "s", at_most(5)),
            Figure("providers", "usage, Loops hangs / is well", meanwhile, "×", at_least(0.9)),
            *(
                Figure("providers", f"Redis commands of {name}", value, "per event")
                for name, value in self.commands.items()
            ),
        )


def measure(ground: Ground, sizes: Sizes) -> Providers:
    """Everything in turn, against one sandbox."""
    with doubles.sandbox(ground.folder, ground.redis_url) as url:
        analytics = drained(ground, sizes, url, ["analytics"]).rate
        came = doubles.state(url, "posthog")
        if len(came["events"]) != sizes.events:
            raise BenchFailed(f"Analytics got {len(came['events'])} of {sizes.events} events.")
        doubles.reset(url)
        database = drained(ground, sizes, url, ["bench_a"]).rate
        mails, told = emails(ground, sizes, url)
        doubles.reset(url)
        return Providers(
            analytics=analytics,
            database=database,
            emails=mails,
            busiest=told["busiest_second"],
            refused=told["refused"],
            welcome=welcome(ground, sizes, url),
            usage=usage_beside(ground, sizes, url, hanging=False),
            usage_meanwhile=usage_beside(ground, sizes, url, hanging=True),
            commands=dict(costs(ground, sizes, url)),
        )


@contextmanager
def working(
    ground: Ground, url: str, names: Sequence[str], *, workers: int, users: int = USERS
) -> Iterator[Site]:
    """A database with these handlers at work, all paused, whose providers are the doubles."""
    with site(ground, names, users, sandbox=url) as at:
        with at.assembly.engine.begin() as connection:
            connection.execute(text(ADDRESSES))
        pause(at)
        ours.start(at, names, workers=workers)
        yield at


def drained(ground: Ground, sizes: Sizes, url: str, names: Sequence[str]) -> ours.Drained:
    """A backlog of predictions, handled by one handler alone, after some to warm up."""
    with working(ground, url, names, workers=sizes.workers, users=sizes.users) as at:
        drain(at, [made(at, number) for number in range(ours.WARM_UP)])
        doubles.reset(url)
        clear(at)
        return drain(at, [made(at, number) for number in range(sizes.events)])


def drain(at: Site, events: Sequence[Event]) -> ours.Drained:
    """Publish with handlers paused, then measure from their release to the last delivery gone."""
    pause(at)
    publish_all(at, events)
    at.settle()
    return ours.watch(at, len(events), ours.STALLED_AFTER)


def publish_all(at: Site, events: Sequence[Event]) -> None:
    """Publish any number, some at once."""
    for start in range(0, len(events), AT_ONCE):
        with at.assembly.sessions.begin() as session:
            publish(session, *events[start : start + AT_ONCE])


def emails(ground: Ground, sizes: Sizes, url: str) -> tuple[float, Any]:
    """Emails a second where they arrive, sent by several workers; and what Loops tells."""
    doubles.reset(url)
    with working(ground, url, ["emails"], workers=max(2, sizes.workers)) as at:
        drain(at, [completed(at, number) for number in range(round(8 * sizes.mailing))])
    told = doubles.state(url, "loops")
    times = [datetime.fromisoformat(mail["at"]) for mail in told["mails"]]
    return (len(times) - 1) / (times[-1] - times[0]).total_seconds(), told


def welcome(ground: Ground, sizes: Sizes, url: str) -> float:
    """The longest wait of a welcome, from its event to Loops, while a flood of mails goes out."""
    doubles.reset(url)
    published = {}
    with working(ground, url, MAILING, workers=max(2, sizes.workers)) as at:
        publish_all(at, [completed(at, number) for number in range(sizes.flood)])
        at.settle()
        resume(at)
        for number in range(WELCOMES):
            time.sleep(sizes.mailing / WELCOMES)
            event = UserSignedUp(user_id=uuid7(), email=f"ada{number}@example.com")
            published[event.email] = datetime.now(UTC)
            publish_all(at, [event])
        at.processes.wait_for("the welcomes", lambda: len(welcomed(url)) == WELCOMES)
    mails = doubles.state(url, "loops")["mails"]
    if len(mails) < sizes.mailing:
        raise BenchFailed(f"The flood was none: {len(mails)} mails came in {sizes.mailing:g} s.")
    waits = [came - published[email] for email, came in welcomed(url).items()]
    return max(wait.total_seconds() for wait in waits)


def welcomed(url: str) -> dict[str, datetime]:
    """Who got a welcome, and when."""
    mails = doubles.state(url, "loops")["mails"]
    return {
        mail["email"]: datetime.fromisoformat(mail["at"])
        for mail in mails
        if mail["template"] == "welcome"
    }


def usage_beside(ground: Ground, sizes: Sizes, url: str, *, hanging: bool) -> float:
    """How fast usage is counted while emails wait for a Loops that is well, or hangs."""
    doubles.reset(url)
    if hanging:
        doubles.break_down(url, "loops", kind="hang", seconds=60)
    names = ["usage", "emails"]
    with working(ground, url, names, workers=sizes.workers) as at:
        publish_all(at, [completed(at, number) for number in range(sizes.mails)])
        publish_all(at, [made(at, number) for number in range(sizes.events)])
        at.settle()
        return ours.watch(at, sizes.events, ours.STALLED_AFTER, handler="usage").rate


def costs(ground: Ground, sizes: Sizes, url: str) -> Iterator[tuple[str, float]]:
    """What each handler that uses Redis asks of it in a flood, with what the queue costs."""
    for name, make in FLOODS.items():
        count = sizes.mails if name in ("emails", "contacts") else MANY
        doubles.reset(url)
        with working(ground, url, [name], workers=1) as at:
            drain(at, [make(at, number) for number in range(5)])
            meter = Meter(at.assembly.redis)
            drain(at, [make(at, 10 + number) for number in range(count)])
            yield name, meter.commands / count


def user(at: Site, number: int) -> UUID:
    """One of the users, in turn."""
    return at.users[number % len(at.users)]


def made(at: Site, number: int) -> Event:
    """A prediction."""
    return PredictionMade(user_id=user(at, number), model_id="m")


def completed(at: Site, number: int) -> Event:
    """A training that is done, each time another."""
    return TrainingCompleted(
        user_id=user(at, number),
        training_id=f"bench-{number}",
        model_id="m",
        model_name="M",
        algorithm="random_forest",
        problem_type="classification",
        duration_seconds=1,
        accuracy=0.9,
    )


def progressed(at: Site, number: int) -> Event:
    """How far a training is, each time another."""
    return TrainingProgressed(
        user_id=user(at, number), training_id=f"bench-{number}", progress=50, message="Learning"
    )


def uploaded(at: Site, number: int) -> Event:
    """A data set, each time another."""
    size = {"filename": "a.csv", "size_mb": 1.0, "row_count": 9, "column_count": 3}
    return DatasetUploaded.model_validate(
        {"user_id": user(at, number), "dataset_id": f"bench-{number}"} | size
    )


def renamed(at: Site, number: int) -> Event:
    """A user with another name."""
    return UserUpdated(user_id=user(at, number), name=f"Ada {number}")


FLOODS: Mapping[str, Callable[[Site, int], Event]] = {
    "progress": progressed,
    "cache": uploaded,
    "analytics": made,
    "emails": completed,
    "contacts": renamed,
}
