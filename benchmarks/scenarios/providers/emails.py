"""How fast emails arrive at Loops, and how long a welcome waits behind other emails."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.backlog import resume
from benchmarks.errors import BenchFailed
from benchmarks.load import publish_in_chunks
from benchmarks.scenarios.providers.workload import (
    deploy_with_sandbox,
    drain,
    training_completed,
)
from benchmarks.servers import BenchServers
from benchmarks.sizes import Sizes
from events import UserSignedUp, uuid7
from sandbox.client import SandboxClient

RATE_LIMIT = 8  # emails a second, LOOPS_RATE's default
WELCOMES = 10
# The handlers of a flood: one sends what may wait, the other what users wait for.
EMAIL_HANDLERS = ("emails", "emails_awaited")


@dataclass(frozen=True)
class EmailRate:
    """Emails a second, requests in the busiest second, and requests that Loops refused."""

    per_second: float
    busiest: float
    refused: float


def email_rate(servers: BenchServers, sizes: Sizes, sandbox: SandboxClient) -> EmailRate:
    """What arrives at Loops from several workers."""
    sandbox.reset()
    workers = max(2, sizes.workers)
    with deploy_with_sandbox(servers, sandbox, ["emails"], workers=workers) as deployment:
        count = round(RATE_LIMIT * sizes.mailing)
        drain(deployment, [training_completed(deployment, number) for number in range(count)])
    state = sandbox.state("loops")
    times = [datetime.fromisoformat(mail["at"]) for mail in state["mails"]]
    per_second = (len(times) - 1) / (times[-1] - times[0]).total_seconds()
    return EmailRate(per_second, state["busiest_second"], state["refused"])


def longest_welcome(servers: BenchServers, sizes: Sizes, sandbox: SandboxClient) -> float:
    """The longest wait (s) of a welcome, from its event to Loops, in a flood of other emails."""
    sandbox.reset()
    published = {}
    workers = max(2, sizes.workers)
    with deploy_with_sandbox(servers, sandbox, EMAIL_HANDLERS, workers=workers) as deployment:
        flood = [training_completed(deployment, number) for number in range(sizes.flood)]
        publish_in_chunks(deployment, flood)
        deployment.analyze_and_checkpoint()
        resume(deployment)
        for number in range(WELCOMES):
            time.sleep(sizes.mailing / WELCOMES)
            event = UserSignedUp(user_id=uuid7(), email=f"ada{number}@example.com")
            published[event.email] = datetime.now(UTC)
            publish_in_chunks(deployment, [event])
        deployment.processes.wait_for("the welcomes", lambda: len(arrivals(sandbox)) == WELCOMES)
    # Fewer than one a second: then the welcomes had nothing to wait for.
    mails = sandbox.state("loops")["mails"]
    if len(mails) < sizes.mailing:
        raise BenchFailed(f"Too few other emails: {len(mails)} came in {sizes.mailing:g} s.")
    waits = [arrived - published[email] for email, arrived in arrivals(sandbox).items()]
    return max(wait.total_seconds() for wait in waits)


def arrivals(sandbox: SandboxClient) -> dict[str, datetime]:
    """When each welcome arrived at Loops, by its address."""
    mails = sandbox.state("loops")["mails"]
    return {
        mail["email"]: datetime.fromisoformat(mail["at"])
        for mail in mails
        if mail["template"] == "welcome"
    }
