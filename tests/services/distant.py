"""A sandbox in a process of its own: Sentry's SDK would watch one in this process too."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import sentry_sdk


@contextmanager
def distant_sandbox(redis_url: str) -> Iterator[str]:
    """Its address, while the block lasts."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "sandbox", "--port", "0"],
        env=os.environ | {"REDIS_URL": redis_url, "DATABASE_URL": "postgresql://unused"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("ready "))
        yield line.split()[1]
        process.terminate()


def state(url: str, provider: str = "sentry") -> Any:
    return httpx.get(f"{url}/sandbox/state/{provider}").json()


def raw_envelopes(url: str) -> list[str]:
    """All that Sentry was sent, as text."""
    found: list[str] = httpx.get(f"{url}/sandbox/sentry/raw").json()
    return found


def hang_up() -> None:
    """Have this process tell Sentry nothing any more."""
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)
