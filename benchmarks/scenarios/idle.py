"""`idle`: how many Redis commands a day a process costs that has nothing to do.

Each process has a private Redis to itself, so every command that the server counts is its own. Two
things happen regularly but seldom: a test (DEL) a minute of the connection that listens for bells,
and a look (LPOP) into each queue every fifteen minutes. The first tests after a start come sooner,
so the window opens after them. It opens with a command and lasts two minutes and a little, to hold
a whole number of minutes. Looks that happen to fall into it are left out, and a day's number of
them is added by their known interval. All other commands count in proportion of the day to the
window. A window under a minute sees no test and says little.
"""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import redis

from benchmarks.backlog import pause
from benchmarks.deployment import Deployment, deploy, product_handlers
from benchmarks.figures import Figure, at_most
from benchmarks.rivals import plain_dramatiq
from benchmarks.servers import BenchServers, started
from benchmarks.sizes import Sizes
from runtime.embedded.valkey import private_valkey
from runtime.supervisor import insights_command
from workers.broker.redis import LOOK_EVERY

DAY = 86_400  # s
START_UP = 5.0  # s after its first command in which a process may still be starting
SETTLING = 75.0  # s after which a listener that hears nothing tests its connection once a minute
MINUTE = 60.0  # s
METER_COMMANDS = ("cmdstat_info", "cmdstat_config")  # what this scenario sends itself
LOOK_COMMAND = "cmdstat_lpop"


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


def measure(servers: BenchServers, sizes: Sizes) -> Idle:
    """Let one process of each kind do nothing, all at the same time."""
    names = product_handlers()
    commands = {
        "worker": tuple(insights_command("worker", "--handlers", ",".join(names))),
        "relay": tuple(insights_command("relay")),
        "scheduler": tuple(insights_command("scheduler")),
        "dramatiq": plain_dramatiq.command(plain_dramatiq.declare_idle.__name__, processes=1),
    }
    with ExitStack() as stack:
        deployment = stack.enter_context(deploy(servers, names))
        pause(deployment)
        clients = {}
        for name, command in commands.items():
            server = private_valkey(servers.folder / f"idle-{name}")
            url = stack.enter_context(started(server)).url
            clients[name] = stack.enter_context(redis.Redis.from_url(url))
            clients[name].config_resetstat()
            variables = {"REDIS_URL": url, "BROKER_URL": url}
            deployment.processes.start(name, *command, environment=variables)
        with ThreadPoolExecutor(len(clients)) as threads:
            found = threads.map(
                lambda client: count_commands(deployment, client, sizes.idling), clients.values()
            )
            counts = dict(zip(clients, found, strict=True))
        deployment.processes.check()
    per_day = DAY / sizes.idling
    looks = len(names) * DAY / LOOK_EVERY
    return Idle(
        worker=(counts["worker"].total() - counts["worker"][LOOK_COMMAND]) * per_day + looks,
        relay=counts["relay"].total() * per_day,
        scheduler=counts["scheduler"].total() * per_day,
        dramatiq=counts["dramatiq"].total() * per_day,
    )


def count_commands(deployment: Deployment, client: "redis.Redis", seconds: float) -> Counter[str]:
    """The commands of each kind that others than `client` send in so many idle seconds."""
    deployment.processes.wait_for("a first command", lambda: sent(client).total() > 0)
    time.sleep(START_UP)
    if seconds > MINUTE:
        time.sleep(SETTLING)
        begun = sent(client).total()
        deadline = time.monotonic() + MINUTE + START_UP
        while sent(client).total() == begun and time.monotonic() < deadline:
            time.sleep(0.1)
    before = sent(client)
    time.sleep(seconds)
    return sent(client) - before


def sent(client: "redis.Redis") -> Counter[str]:
    """How often each command was called, but for those of this scenario."""
    found: dict[str, dict[str, int]] = client.info("commandstats")
    return Counter(
        {name: each["calls"] for name, each in found.items() if not name.startswith(METER_COMMANDS)}
    )
