"""A Redis over TCP, and the same one behind Upstash's REST door."""

from collections.abc import Iterator

import pytest

from services.commands import Commands
from services.tcp import TcpCommands
from services.upstash import UpstashCommands
from tests.doubles import Doubles
from workers.assembly import Assembly


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
