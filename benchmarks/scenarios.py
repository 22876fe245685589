"""All scenarios by name."""

from collections.abc import Callable, Mapping

from benchmarks import drain, growth, hot, idle, latency, providers, publishing
from benchmarks.figures import Measurement
from benchmarks.ground import Ground
from benchmarks.sizes import Sizes

SCENARIOS: Mapping[str, Callable[[Ground, Sizes], Measurement]] = {
    "drain": drain.measure,
    "publish": publishing.measure,
    "latency": latency.measure,
    "idle": idle.measure,
    "growth": growth.measure,
    "hot": hot.measure,
    "providers": providers.measure,
}
