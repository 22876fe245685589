"""How many steady events a second the product handles, by working off a backlog of them."""

import time

from benchmarks.chaos.deliveries import count
from benchmarks.chaos.load.publisher import try_to_commit
from benchmarks.chaos.load.steps import Load
from benchmarks.errors import ChaosFailed
from runtime.assembly import Assembly

LOOK_INTERVAL = 0.1  # s
DRAIN_TIMEOUT = 180.0  # s
SHARE = 0.5  # of the capacity: a load at which a fault may take a process away


def publish_and_drain(assembly: Assembly, load: Load) -> float:
    """Publish a load at once; return how many events a second were handled. Raises ChaosFailed."""
    began = time.monotonic()
    for step in load.steps:
        if not try_to_commit(assembly, step):
            raise ChaosFailed("Nothing can be published.")
    while time.monotonic() - began < DRAIN_TIMEOUT:
        counts = count(assembly.engine, assembly.handlers)
        if counts is not None and not any(counts.owed.values()):
            return len(load.events) / (time.monotonic() - began)
        time.sleep(LOOK_INTERVAL)
    raise ChaosFailed(f"A backlog was not worked off within {DRAIN_TIMEOUT:g} s.")
