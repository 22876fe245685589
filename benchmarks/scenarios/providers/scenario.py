"""`providers`: how fast events reach providers, how well limits are kept, what Redis is asked.

Analytics goes to a double in a process of its own, on the same cores, beside a handler that
writes the same events to the database. Emails are counted where they arrive.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.backlog import WARM_UP_EVENTS, release_and_measure
from benchmarks.deployment import Deployment
from benchmarks.errors import BenchFailed
from benchmarks.figures import Figure, at_least, at_most
from benchmarks.handlers import bench_a
from benchmarks.load import clear, publish_in_chunks
from benchmarks.redis_meter import RedisMeter
from benchmarks.sandbox_process import sandbox_process
from benchmarks.scenarios.providers.emails import EmailRate, email_rate, longest_welcome
from benchmarks.scenarios.providers.workload import (
    dataset_uploaded,
    deploy_with_sandbox,
    drain,
    prediction_made,
    training_completed,
    training_progressed,
    user_renamed,
)
from benchmarks.servers import BenchServers
from benchmarks.sizes import Sizes
from events import Event
from sandbox.client import SandboxClient

# The handlers that use Redis, and the events that they handle.
REDIS_USERS: Mapping[str, Callable[[Deployment, int], Event]] = {
    "progress": training_progressed,
    "cache": dataset_uploaded,
    "analytics": prediction_made,
    "emails": training_completed,
    "contacts": user_renamed,
}
MANY_EVENTS = 2_000  # for handlers that are not throttled
WARM_UP_FEW = 5  # events; as many throttled ones take less than a second


@dataclass(frozen=True)
class Providers:
    """Events a second, and Redis commands per event by handler.

    `welcome` is the longest wait (s) of a welcome in a flood of other emails. `usage_hanging` is
    the rate of usage while Loops hangs.
    """

    analytics: float
    database: float
    emails: EmailRate
    welcome: float
    usage: float
    usage_hanging: float
    commands: Mapping[str, float]

    def figures(self) -> Sequence[Figure]:
        """All of them."""
        ratio, hanging = self.analytics / self.database, self.usage_hanging / self.usage
        busiest, refused = self.emails.busiest, self.emails.refused
        return (
            Figure("providers", "analytics alone", self.analytics, "events/s"),
            Figure("providers", "a database handler alone", self.database, "events/s"),
            Figure("providers", "analytics / database", ratio, "×"),
            Figure("providers", "emails, limit 8", self.emails.per_second, "per s", at_least(7.2)),
            Figure("providers", "requests in the busiest second", busiest, "", at_most(10)),
            Figure("providers", "requests that Loops refused", refused, "", at_most(0)),
            Figure("providers", "a welcome in a flood of mails", self.welcome, "s", at_most(5)),
            Figure("providers", "usage, Loops hangs / is well", hanging, "×", at_least(0.9)),
            *(
                Figure("providers", f"Redis commands of {name}", value, "per event")
                for name, value in self.commands.items()
            ),
        )


def measure(servers: BenchServers, sizes: Sizes) -> Providers:
    """Everything in turn, against one sandbox. Raises BenchFailed when events did not arrive."""
    with sandbox_process(servers.folder, servers.redis_url) as sandbox:
        analytics = drain_rate(servers, sizes, sandbox, "analytics")
        arrived = len(sandbox.state("posthog")["events"])
        if arrived != sizes.events:
            raise BenchFailed(f"Analytics got {arrived} of {sizes.events} events.")
        sandbox.reset()
        return Providers(
            analytics=analytics,
            database=drain_rate(servers, sizes, sandbox, bench_a.name),
            emails=email_rate(servers, sizes, sandbox),
            welcome=longest_welcome(servers, sizes, sandbox),
            usage=usage_rate(servers, sizes, sandbox, loops_hangs=False),
            usage_hanging=usage_rate(servers, sizes, sandbox, loops_hangs=True),
            commands=dict(commands_per_event(servers, sizes, sandbox)),
        )


def drain_rate(servers: BenchServers, sizes: Sizes, sandbox: SandboxClient, handler: str) -> float:
    """How fast one handler alone drains a backlog of predictions, after some to warm up."""
    workers, users = sizes.workers, sizes.users
    with deploy_with_sandbox(
        servers, sandbox, [handler], workers=workers, users=users
    ) as deployment:
        drain(deployment, [prediction_made(deployment, n) for n in range(WARM_UP_EVENTS)])
        sandbox.reset()
        clear(deployment)
        return drain(deployment, [prediction_made(deployment, n) for n in range(sizes.events)]).rate


def usage_rate(
    servers: BenchServers, sizes: Sizes, sandbox: SandboxClient, *, loops_hangs: bool
) -> float:
    """How fast usage is counted while emails are sent to a Loops that works, or hangs."""
    sandbox.reset()
    if loops_hangs:
        sandbox.set_fault("loops", "hang", seconds=60)
    handlers = ["usage", "emails"]
    with deploy_with_sandbox(servers, sandbox, handlers, workers=sizes.workers) as deployment:
        publish_in_chunks(
            deployment, [training_completed(deployment, n) for n in range(sizes.mails)]
        )
        publish_in_chunks(deployment, [prediction_made(deployment, n) for n in range(sizes.events)])
        deployment.analyze_and_checkpoint()
        return release_and_measure(deployment, sizes.events, handler="usage").rate


def commands_per_event(
    servers: BenchServers, sizes: Sizes, sandbox: SandboxClient
) -> Iterator[tuple[str, float]]:
    """What each handler asks of Redis in a flood of events, with what its queue costs."""
    for name, make in REDIS_USERS.items():
        count = sizes.mails if name in ("emails", "contacts") else MANY_EVENTS
        sandbox.reset()
        with deploy_with_sandbox(servers, sandbox, [name], workers=1) as deployment:
            drain(deployment, [make(deployment, n) for n in range(WARM_UP_FEW)])
            meter = RedisMeter(deployment.assembly.redis)
            # Other numbers than those to warm up: each is about another data set or training.
            drain(deployment, [make(deployment, 10 + n) for n in range(count)])
            yield name, meter.commands / count
