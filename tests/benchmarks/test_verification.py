"""Whatever is counted wrong fails the measurement."""

import pytest
from sqlalchemy import text

from benchmarks.deployment import Deployment, deploy
from benchmarks.errors import BenchFailed
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.load import publish_predictions
from benchmarks.rivals import pure_sql
from benchmarks.servers import BenchServers
from benchmarks.verification import verify_effects

DEFECTS = {
    "counters": "UPDATE bench.activity SET count = count + 1 WHERE handler = 'bench_b'",
    "usage": "UPDATE public.usage_limits SET predictions_this_month = 1",
    "lost": "DELETE FROM bench.activity WHERE handler = 'bench_a'",
    "ledger": "DELETE FROM insights.usage_ledger",
    "dead": "UPDATE insights.deliveries SET died_at = now()",
}


def test_effects_are_right_also_while_some_are_owed(given_servers: BenchServers) -> None:
    with deploy(given_servers, DRAIN_HANDLERS, users=3) as deployment:
        handle_some_and_owe_others(deployment)

        verify_effects(deployment, DRAIN_HANDLERS)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_wrong_count_is_found(given_servers: BenchServers, defect: str) -> None:
    with deploy(given_servers, DRAIN_HANDLERS, users=3) as deployment:
        handle_some_and_owe_others(deployment)
        with deployment.assembly.engine.begin() as connection:
            connection.execute(text(DEFECTS[defect]))

        with pytest.raises(BenchFailed, match="Effects were counted wrong"):
            verify_effects(deployment, DRAIN_HANDLERS)


def handle_some_and_owe_others(deployment: Deployment) -> None:
    publish_predictions(deployment, 20)
    pure_sql.owe(deployment)
    pure_sql.work(deployment)
    with deployment.assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM insights.deliveries"))
    publish_predictions(deployment, 5)
