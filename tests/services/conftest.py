"""A Redis over TCP, and the same one behind Upstash's REST door."""

from collections.abc import Iterator

import pytest

from runtime.assembly import Assembly
from services.redis.commands import Commands
from services.redis.tcp import TcpCommands
from services.redis.upstash import UpstashCommands
from tests.doubles import Doubles


@pytest.fixture(params=["tcp", "upstash"])
def commands(
    request: pytest.FixtureRequest, assembly: Assembly, doubles: Doubles
) -> Iterator[Commands]:
    if request.param == "tcp":
        yield TcpCommands(assembly.redis)
        return
    line = UpstashCommands(f"{doubles.url}/upstash", "token")
    yield line
    line.close()
