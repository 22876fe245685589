"""The providers' doubles in a process of their own, for measurements."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.errors import BenchFailed
from benchmarks.processes import Processes
from runtime.supervisor import insights

READY = "ready "


@contextmanager
def sandbox(folder: Path, redis_url: str) -> Iterator[str]:
    """Their address, while the block lasts."""
    with Processes(folder, {"REDIS_URL": redis_url, "LOG_LEVEL": "error"}) as started:
        process = started.start("sandbox", *insights("sandbox", "--port", "0"), talks=True)
        lines = iter(process.stdout or ())
        url = next((line.removeprefix(READY) for line in lines if line.startswith(READY)), None)
        if url is None:
            raise BenchFailed(f"The sandbox does not start; see {folder}/sandbox.log")
        yield url.strip()


def state(url: str, provider: str) -> Any:
    """What a double remembers."""
    return httpx.get(f"{url}/sandbox/state/{provider}", timeout=60, trust_env=False).json()


def break_down(url: str, provider: str, **fault: Any) -> None:
    """Give a provider a bad day."""
    path = f"{url}/sandbox/faults/{provider}"
    httpx.put(path, json=fault, timeout=10, trust_env=False).raise_for_status()


def mend(url: str, provider: str) -> None:
    """End its bad day."""
    httpx.delete(f"{url}/sandbox/faults/{provider}", timeout=10, trust_env=False)


def allow(url: str, *, per_second: int) -> None:
    """Let Loops take so many requests a second, for runs that cannot wait for ten."""
    body = {"per_second": per_second}
    httpx.put(f"{url}/sandbox/limit", json=body, timeout=10, trust_env=False).raise_for_status()


def reset(url: str) -> None:
    """Have the doubles forget everything."""
    httpx.post(f"{url}/sandbox/reset", timeout=10, trust_env=False)
