"""(d) What it costs Redis a day to have a process that has nothing to do.

Each process has a private Redis to itself, so whatever that server counts is its doing. Two
things happen regularly but seldom: a PING a minute on the line that bells ring on, and a look
into each queue every ten minutes. So that the window holds a whole number of minutes, it opens
with a command and lasts two minutes and a little; looks (LPOP) that happen to fall into it are
left out, and what they come to in a day is added by their known interval. Whatever else is seen
counts in proportion of the window to the day. A window under a minute sees no PING and says
little.
"""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import redis

from benchmarks import ours
from benchmarks.figures import Figure, at_most
from benchmarks.ground import Ground, running
from benchmarks.load import pause
from benchmarks.rivals import plain_dramatiq
from benchmarks.site import Site, site
from benchmarks.sizes import Sizes
from runtime.embedded.servers import private_valkey
from runtime.supervisor import insights
from workers.broker.redis import LOOK_EVERY

DAY = 86_400
SETTLING = 5.0
A_MINUTE = 60.0
OUR_OWN = ("cmdstat_info", "cmdstat_config")
LOOKS = "cmdstat_lpop"


@dataclass(frozen=True)
class Idle:
    """Redis commands a day of one idle process each."""

    worker: float
    relay: float
    scheduler: float
    dramatiq: float

    def figures(self) -> Sequence[Figure]:
        """All of them."""
        unit = "commands/day"
        return (
            Figure("idle", "worker with all handlers", self.worker, unit, at_most(5_000)),
            Figure("idle", "relay", self.relay, unit, at_most(5_000)),
            Figure("idle", "scheduler", self.scheduler, unit, at_most(5_000)),
            Figure("idle", "plain dramatiq, as many actors", self.dramatiq, unit),
        )


def measure(ground: Ground, sizes: Sizes) -> Idle:
    """Let one process of each kind do nothing, all at the same time."""
    names = ours.product()
    commands = {
        "worker": tuple(insights("worker", "--handlers", ",".join(names))),
        "relay": tuple(insights("relay")),
        "scheduler": tuple(insights("scheduler")),
        "dramatiq": plain_dramatiq.command(plain_dramatiq.idling.__name__, processes=1),
    }
    with ExitStack() as stack:
        at = stack.enter_context(site(ground, names))
        pause(at)
        clients = {}
        for name, command in commands.items():
            url = stack.enter_context(running(private_valkey, ground.folder / f"idle-{name}")).url
            clients[name] = stack.enter_context(redis.Redis.from_url(url))
            clients[name].config_resetstat()
            at.processes.start(name, *command, environment={"REDIS_URL": url, "BROKER_URL": url})
        with ThreadPoolExecutor(len(clients)) as threads:
            counts = dict(
                zip(
                    clients,
                    threads.map(lambda each: watch(at, each, sizes.idling), clients.values()),
                    strict=True,
                )
            )
        at.processes.check()
    per_day = DAY / sizes.idling
    looks = len(names) * DAY / LOOK_EVERY
    return Idle(
        worker=(total(counts["worker"]) - counts["worker"][LOOKS]) * per_day + looks,
        relay=total(counts["relay"]) * per_day,
        scheduler=total(counts["scheduler"]) * per_day,
        dramatiq=total(counts["dramatiq"]) * per_day,
    )


def watch(at: Site, client: "redis.Redis", seconds: float) -> Counter[str]:
    """The commands of each kind that others than `client` send in so many idle seconds."""
    at.processes.wait_for("a first command", lambda: total(sent(client)) > 0)
    time.sleep(SETTLING)
    if seconds > A_MINUTE:
        begun = total(sent(client))
        deadline = time.monotonic() + A_MINUTE + SETTLING
        while total(sent(client)) == begun and time.monotonic() < deadline:
            time.sleep(0.1)
    before = sent(client)
    time.sleep(seconds)
    return sent(client) - before


def sent(client: "redis.Redis") -> Counter[str]:
    """How often each command was called, but for those with which we ask."""
    found: dict[str, dict[str, int]] = client.info("commandstats")
    return Counter(
        {name: each["calls"] for name, each in found.items() if not name.startswith(OUR_OWN)}
    )


def total(counts: Counter[str]) -> int:
    """All commands together."""
    return sum(counts.values())
