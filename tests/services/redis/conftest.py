"""A Redis in this process, for quick tests of scripts and commands; see test_conformance too."""

from collections.abc import Iterator

import fakeredis
import pytest

from services.redis.tcp import TcpCommands


@pytest.fixture
def fake_redis() -> Iterator[fakeredis.FakeRedis]:
    with fakeredis.FakeRedis(server=fakeredis.FakeServer(), decode_responses=True) as client:
        yield client


@pytest.fixture
def fake_commands(fake_redis: fakeredis.FakeRedis) -> TcpCommands:
    return TcpCommands(fake_redis)
