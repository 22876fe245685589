"""Drains by the product's own handlers of predictions, with product analytics off or on.

`usage` and `activity` write to the database, `cache` deletes what became stale in Redis, and
`analytics` sends to PostHog's double. All of their effects are verified.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import text

from benchmarks.backlog import WARM_UP_EVENTS, DrainResult, pause, release_and_measure
from benchmarks.deployment import Deployment, deploy, start_relay_and_workers
from benchmarks.errors import BenchFailed
from benchmarks.load import clear, publish_predictions
from benchmarks.sandbox_process import sandbox_process
from benchmarks.servers import BenchServers
from benchmarks.sizes import Sizes
from benchmarks.verification import verify_effects
from events import PredictionMade
from handlers import load_handlers
from sandbox.client import SandboxClient

EVENT_IDS = text("SELECT id FROM insights.events WHERE type = 'prediction.made'")
WRONG_ACTIVITY = """
    SELECT count(*) FROM (
        SELECT e.user_id, max(e.occurred_at) AS at FROM insights.events e
        WHERE e.type = 'prediction.made' GROUP BY e.user_id
    ) newest LEFT JOIN insights.activity a USING (user_id)
    WHERE a.last_active_at IS DISTINCT FROM newest.at
"""


def drain_without_analytics(servers: BenchServers, sizes: Sizes) -> DrainResult:
    """One drain with no provider. Raises BenchFailed where an effect is missing or double."""
    return drain(servers, sizes, None)


def drain_with_analytics(servers: BenchServers, sizes: Sizes) -> DrainResult:
    """One drain beside PostHog's double, a process on the same cores. Raises BenchFailed."""
    with sandbox_process(servers.folder, servers.redis_url) as sandbox:
        return drain(servers, sizes, sandbox)


def drain(servers: BenchServers, sizes: Sizes, sandbox: SandboxClient | None) -> DrainResult:
    """One drain by processes that have worked already, all of its effects verified."""
    names = [each.name for each in load_handlers().values() if PredictionMade in each.events]
    with deploy(servers, names, sizes.users, sandbox=sandbox) as deployment:
        pause(deployment)
        start_relay_and_workers(deployment, names, workers=sizes.workers)
        publish_predictions(deployment, WARM_UP_EVENTS)
        release_and_measure(deployment, WARM_UP_EVENTS)
        pause(deployment)
        clear(deployment)
        if sandbox is not None:
            sandbox.reset()
        publish_predictions(deployment, sizes.events)
        deployment.analyze_and_checkpoint()
        with cached_usage(deployment):
            result = release_and_measure(deployment, sizes.events)
        verify(deployment, sandbox)
    return result


@contextmanager
def cached_usage(deployment: Deployment) -> Iterator[None]:
    """Cache an entry of each user that predicted, all of which must be gone at the end."""
    with deployment.assembly.engine.connect() as connection:
        users = connection.scalars(text("SELECT DISTINCT user_id FROM insights.events")).all()
    keys = [f"usage:{user}" for user in users]
    client = deployment.assembly.redis
    client.mset(dict.fromkeys(keys, "0"))
    try:
        yield
    finally:
        left = client.delete(*keys)
    if left:
        raise BenchFailed(f"{left} entries of the cache are stale.")


def verify(deployment: Deployment, sandbox: SandboxClient | None) -> None:
    """Compare the events with what handlers wrote and sent. Raises BenchFailed."""
    verify_effects(deployment, ["usage"])
    verify_activity(deployment)
    if sandbox is not None:
        verify_analytics(deployment, sandbox)


def verify_activity(deployment: Deployment) -> None:
    wrong = deployment.query_one(WRONG_ACTIVITY)[0]
    if wrong:
        raise BenchFailed(f"The last activity of {wrong} users is wrong.")


def verify_analytics(deployment: Deployment, sandbox: SandboxClient) -> None:
    """Compare ids: PostHog counts an event once, however often it comes."""
    with deployment.assembly.engine.connect() as connection:
        published = set(connection.scalars(EVENT_IDS))
    arrived = {UUID(each["uuid"]) for each in sandbox.state("posthog")["events"]}
    if arrived != published:
        raise BenchFailed(f"Analytics got {len(arrived)} of {len(published)} events.")
