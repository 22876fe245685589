"""The providers' doubles in a process of their own, so that they cost this one no time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.errors import BenchFailed
from benchmarks.processes import Processes
from runtime.supervisor import insights_command
from sandbox.client import SandboxClient

READY = "ready "  # `insights sandbox` prints it before its address


@contextmanager
def sandbox_process(folder: Path, redis_url: str) -> Iterator[SandboxClient]:
    """The doubles, which run for the `with` block. Raises BenchFailed."""
    with Processes(folder, {"REDIS_URL": redis_url, "LOG_LEVEL": "error"}) as started:
        process = started.start("sandbox", *insights_command("sandbox", "--port", "0"), talks=True)
        lines = iter(process.stdout or ())
        url = next((line.removeprefix(READY) for line in lines if line.startswith(READY)), None)
        if url is None:
            raise BenchFailed(f"The sandbox does not start; see {folder}/sandbox.log")
        yield SandboxClient(url.strip())
