"""A Redis over TCP, and the same one behind the double of Upstash's REST API."""

from collections.abc import Iterator

import pytest

from runtime.assembly import Assembly
from services.redis.commands import Commands
from services.redis.tcp import TcpCommands
from services.redis.upstash import RestEndpoint, UpstashCommands
from tests.doubles import Doubles


@pytest.fixture
def endpoint(doubles: Doubles) -> RestEndpoint:
    return RestEndpoint(f"{doubles.url}/upstash", "token")


@pytest.fixture
def upstash(endpoint: RestEndpoint, assembly: Assembly) -> Iterator[UpstashCommands]:
    made = UpstashCommands(endpoint)
    yield made
    made.close()


@pytest.fixture(params=["tcp", "upstash"])
def commands(request: pytest.FixtureRequest, assembly: Assembly) -> Commands:
    if request.param == "tcp":
        return TcpCommands(assembly.redis)
    over_rest: UpstashCommands = request.getfixturevalue("upstash")
    return over_rest
