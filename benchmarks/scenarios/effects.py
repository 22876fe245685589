"""`effects`: how long after its commit the last effect of one event is there, on a quiet system.

The product's own handlers, with the doubles as providers, one event at a time. Loops' rate is set
to 1,000 a second here and at its double, so that handlers are measured, not the throttle. `cache`
comes after `usage`; a publisher in SQL rings nobody.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import text

from benchmarks.backlog import resume
from benchmarks.deployment import Deployment, product_handlers
from benchmarks.figures import Figure, at_most
from benchmarks.sandbox_process import sandbox_process
from benchmarks.scenarios.providers.workload import deploy_with_sandbox, prediction_made
from benchmarks.servers import BenchServers
from benchmarks.sizes import Sizes
from events import Event, UserSignedUp, uuid7

RATE = 1000  # requests a second at Loops
IN_SQL = text("SELECT publish_event('prediction.made', '{\"model_id\": \"m\"}', :user)")
IS_OWED = text("SELECT EXISTS (SELECT FROM insights.deliveries)")
Publish = Callable[[Deployment, int], None]


@dataclass(frozen=True)
class Effects:
    """Milliseconds from commit to last effect, one for each event."""

    sign_up: Sequence[float]
    prediction: Sequence[float]
    prediction_in_sql: Sequence[float]

    def figures(self) -> Sequence[Figure]:
        """The medians."""
        return (
            Figure("effects", "sign-up, median", median(self.sign_up), "ms", at_most(60)),
            Figure("effects", "prediction, median", median(self.prediction), "ms", at_most(60)),
            Figure(
                "effects",
                "prediction published in SQL, median",
                median(self.prediction_in_sql),
                "ms",
                at_most(250),
            ),
        )


def measure(servers: BenchServers, sizes: Sizes) -> Effects:
    """One relay and one worker, and a few events of each kind in turn."""
    with sandbox_process(servers.folder, servers.redis_url) as sandbox:
        sandbox.set_loops_rate_limit(RATE)
        with deploy_with_sandbox(
            servers, sandbox, product_handlers(), workers=1, loops_rate=RATE
        ) as deployment:
            resume(deployment)
            return Effects(
                *(
                    times(deployment, publish, sizes.single)
                    for publish in (sign_up, predict, in_sql)
                )
            )


def times(deployment: Deployment, publish: Publish, count: int) -> list[float]:
    """Milliseconds from each commit until nothing is owed; the first, to warm up, is left out."""
    found = []
    engine = deployment.assembly.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for number in range(count + 1):
            publish(deployment, number)
            committed = time.perf_counter()
            while connection.scalar(IS_OWED):
                time.sleep(0.001)
            found.append((time.perf_counter() - committed) * 1000)
            # Not always at the same moment after the relay's last look.
            time.sleep(0.3 + 0.037 * (number % 7))
    return found[1:]


def sign_up(deployment: Deployment, number: int) -> None:
    publish_one(deployment, UserSignedUp(user_id=uuid7(), email=f"ada{number}@example.com"))


def predict(deployment: Deployment, number: int) -> None:
    publish_one(deployment, prediction_made(deployment, number))


def publish_one(deployment: Deployment, event: Event) -> None:
    deployment.assembly.publish(event)


def in_sql(deployment: Deployment, number: int) -> None:
    """As Supabase's RPC publishes."""
    with deployment.assembly.engine.begin() as connection:
        connection.execute(IN_SQL, {"user": deployment.users[number % len(deployment.users)]})
