"""Runs scenarios, one after the other, on the same servers."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from benchmarks.figures import Figure
from benchmarks.machine import describe_machine
from benchmarks.report import Report
from benchmarks.scenarios import SCENARIOS
from benchmarks.servers import bench_servers
from benchmarks.sizes import Sizes
from settings import Settings


def run(
    settings: Settings,
    names: Iterable[str],
    sizes: Sizes,
    measuring: Callable[[str], AbstractContextManager[object]],
) -> Report:
    """Measure the scenarios of these names, each inside of `measuring(name)`.

    Raises BenchFailed, ServerFailed.
    """
    figures: list[Figure] = []
    with bench_servers(settings) as servers:
        # Before the first scenario, whose own load would be reported otherwise.
        machine = describe_machine(servers)
        for name in names:
            with measuring(name):
                figures += SCENARIOS[name](servers, sizes).figures()
    return Report(machine, sizes, figures)
