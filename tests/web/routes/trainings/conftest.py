"""The progress of trainings in the Redis of the tests."""

import pytest

from runtime.assembly import Assembly
from services.redis.progress import ProgressBoard
from services.redis.tcp import TcpCommands


@pytest.fixture
def board(assembly: Assembly) -> ProgressBoard:
    return ProgressBoard(TcpCommands(assembly.redis))
