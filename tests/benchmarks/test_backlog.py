"""A drain ends when nothing is owed any more, and not before."""

from sqlalchemy import text

from benchmarks.backlog import is_owed
from benchmarks.deployment import Deployment, deploy
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.load import publish_predictions
from benchmarks.servers import BenchServers

NEWEST = "(SELECT id FROM insights.events ORDER BY id DESC LIMIT 1)"


def test_all_events_count_and_not_only_the_newest(given_servers: BenchServers) -> None:
    with deploy(given_servers, DRAIN_HANDLERS) as deployment:
        assert not is_owed(deployment)
        publish_predictions(deployment, 2)
        change(deployment, f"DELETE FROM insights.deliveries WHERE event_id <> {NEWEST}")
        assert is_owed(deployment)
        publish_predictions(deployment, 1)
        change(deployment, f"DELETE FROM insights.deliveries WHERE event_id = {NEWEST}")
        assert is_owed(deployment)
        assert is_owed(deployment, "usage")
        assert not is_owed(deployment, "emails")
        change(deployment, "DELETE FROM insights.deliveries")
        assert not is_owed(deployment)


def test_dead_letters_are_not_waited_for(given_servers: BenchServers) -> None:
    with deploy(given_servers, DRAIN_HANDLERS) as deployment:
        publish_predictions(deployment, 2)
        change(deployment, "UPDATE insights.deliveries SET died_at = now()")

        assert not is_owed(deployment)


def change(deployment: Deployment, statement: str) -> None:
    with deployment.assembly.engine.begin() as connection:
        connection.execute(text(statement))
