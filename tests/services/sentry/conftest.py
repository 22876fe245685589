"""A pipeline in a process whose failures and traces go to Sentry."""

from collections.abc import Iterator

import pytest

from runtime.assembly import Assembly
from runtime.sandbox_settings import sandbox_settings
from sandbox.client import SandboxClient
from services.sentry import Sentry
from tests.factories import Servers
from tests.pipeline import Pipeline
from tests.services.sentry.sandbox_process import close_sentry, dsn_of, sandbox_process


@pytest.fixture(scope="package")
def sentry_sandbox(servers: Servers) -> Iterator[SandboxClient]:
    """A sandbox in another process."""
    with sandbox_process(servers.redis_url) as sandbox:
        yield sandbox


@pytest.fixture
def watched(assembly: Assembly, sentry_sandbox: SandboxClient) -> Iterator[Pipeline]:
    sentry_sandbox.reset()
    made = Assembly(sandbox_settings(assembly.settings, sentry_sandbox.url, upstash=False))
    made.sentry = Sentry(
        dsn_of(sentry_sandbox),
        environment="test",
        release="insights@1.2.3",
        traces=1.0,
        monitors={"prune": "17 3 * * *"},
    )
    pipeline = Pipeline(made)
    yield pipeline
    close_sentry()
    pipeline.follow(*assembly.handlers.values())
    made.close()
