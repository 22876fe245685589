"""The providers' doubles in a process of their own, for measurements."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from benchmarks.errors import BenchFailed
from benchmarks.ground import Ground
from benchmarks.processes import Processes
from workers.supervisor import insights

READY = "ready "


@contextmanager
def sandbox(ground: Ground) -> Iterator[str]:
    """Their address, while the block lasts."""
    with Processes(ground.folder, {"REDIS_URL": ground.redis_url, "LOG_LEVEL": "error"}) as started:
        process = started.start("sandbox", *insights("sandbox", "--port", "0"), talks=True)
        lines = iter(process.stdout or ())
        url = next((line.removeprefix(READY) for line in lines if line.startswith(READY)), None)
        if url is None:
            raise BenchFailed(f"The sandbox does not start; see {ground.folder}/sandbox.log")
        yield url.strip()


def state(url: str, provider: str) -> Any:
    """What a double remembers."""
    return httpx.get(f"{url}/sandbox/state/{provider}", timeout=60, trust_env=False).json()


def break_down(url: str, provider: str, **fault: Any) -> None:
    """Give a provider a bad day."""
    path = f"{url}/sandbox/faults/{provider}"
    httpx.put(path, json=fault, timeout=10, trust_env=False).raise_for_status()


def reset(url: str) -> None:
    """Have the doubles forget everything."""
    httpx.post(f"{url}/sandbox/reset", timeout=10, trust_env=False)
