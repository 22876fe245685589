"""All scenarios, by the names that `insights bench --only` takes."""

from collections.abc import Callable, Mapping

from benchmarks.figures import Measurement
from benchmarks.scenarios import drain, effects, growth, hot, idle, latency, publish
from benchmarks.scenarios.providers import scenario as providers
from benchmarks.servers import BenchServers
from benchmarks.sizes import Sizes

SCENARIOS: Mapping[str, Callable[[BenchServers, Sizes], Measurement]] = {
    "drain": drain.measure,
    "publish": publish.measure,
    "latency": latency.measure,
    "effects": effects.measure,
    "idle": idle.measure,
    "growth": growth.measure,
    "hot": hot.measure,
    "providers": providers.measure,
}
