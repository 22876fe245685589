"""A sandbox in another process: Sentry's SDK would trace what one in this process does too."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sentry_sdk

from sandbox.client import SandboxClient


@contextmanager
def sandbox_process(redis_url: str) -> Iterator[SandboxClient]:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "sandbox", "--port", "0"],
        env=os.environ | {"REDIS_URL": redis_url, "DATABASE_URL": "postgresql://unused"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("ready "))
        yield SandboxClient(line.split()[1])
        process.terminate()


def dsn_of(sandbox: SandboxClient) -> str:
    return f"http://key@{sandbox.url.removeprefix('http://')}/sentry/1"


def reports(sandbox: SandboxClient, kind: str = "events") -> list[Any]:
    """What Sentry was sent by now: `events`, `transactions` or `check_ins`."""
    sentry_sdk.flush()
    found: list[Any] = sandbox.state("sentry")[kind]
    return found


def close_sentry() -> None:
    """Let this process send Sentry nothing any more."""
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)
