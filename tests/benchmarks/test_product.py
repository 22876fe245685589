"""What the verification of the product's own handlers finds."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from benchmarks import product
from benchmarks.deployment import Deployment, deploy
from benchmarks.errors import BenchFailed
from benchmarks.load import publish_predictions
from benchmarks.servers import BenchServers
from sandbox.client import SandboxClient
from sandbox.server import running_sandbox

EVENTS = 40
RECORD_ACTIVITY = text("""
    INSERT INTO insights.activity (user_id, last_active_at)
    SELECT user_id, max(occurred_at) FROM insights.events GROUP BY user_id
""")
LOSE_ACTIVITY = text("""
    UPDATE insights.activity SET last_active_at = last_active_at - interval '1 second'
    WHERE user_id = (SELECT user_id FROM insights.events LIMIT 1)
""")


@pytest.fixture
def deployment(given_servers: BenchServers) -> Iterator[Deployment]:
    """Predictions of few users, which nobody handles."""
    with deploy(given_servers, users=3) as found:
        publish_predictions(found, EVENTS)
        yield found


def test_activity_that_is_not_the_newest_is_found(deployment: Deployment) -> None:
    with deployment.assembly.engine.begin() as connection:
        connection.execute(RECORD_ACTIVITY)
    product.verify_activity(deployment)
    with deployment.assembly.engine.begin() as connection:
        connection.execute(LOSE_ACTIVITY)

    with pytest.raises(BenchFailed, match="activity of 1 users is wrong"):
        product.verify_activity(deployment)


def test_an_event_that_analytics_did_not_get_is_found(deployment: Deployment) -> None:
    with deployment.assembly.engine.connect() as connection:
        ids = connection.scalars(product.EVENT_IDS).all()
    with running_sandbox() as server:
        sandbox, project = SandboxClient(server.url), server.providers.posthog
        for id_ in ids[1:]:
            message = {"event": "prediction_made", "distinct_id": "ada", "uuid": str(id_)}
            project.capture(message, size=1, historical=False)
        with pytest.raises(BenchFailed, match="39 of 40 events"):
            product.verify_analytics(deployment, sandbox)
        project.capture(message | {"uuid": str(ids[0])}, size=1, historical=False)
        product.verify_analytics(deployment, sandbox)


def test_a_stale_entry_of_the_cache_is_found_and_taken_along(deployment: Deployment) -> None:
    client = deployment.assembly.redis
    stale = pytest.raises(BenchFailed, match="3 entries of the cache are stale")
    with stale, product.cached_usage(deployment):
        pass

    assert not client.keys("usage:*")
    with product.cached_usage(deployment):
        client.delete(*client.keys("usage:*"))
