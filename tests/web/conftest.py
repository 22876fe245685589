"""The web app in this process, and in a real server."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from runtime.assembly import Assembly
from runtime.embedded.server import EmbeddedServer
from runtime.embedded.valkey import private_valkey
from runtime.web import make_app
from services.redis.progress import ProgressBoard
from services.redis.tcp import TcpCommands
from settings import Settings
from tests.web.requests import KEY, until
from tests.web.silent_server import SilentServer
from web.serve import Server

NOWHERE = 1  # a port that needs root to listen on, so that nothing does


@pytest.fixture
def client(assembly: Assembly) -> Iterator[TestClient]:
    """A client with an API key."""
    with TestClient(make_app(assembly.settings), headers=KEY) as client:
        yield client


@pytest.fixture(scope="module")
def shared_client(shared: Assembly) -> Iterator[TestClient]:
    """A client with an API key, for tests that do not care what others left behind."""
    with TestClient(make_app(shared.settings), headers=KEY) as client:
        yield client


@pytest.fixture
def anonymous(assembly: Assembly) -> Iterator[TestClient]:
    """A client without an API key."""
    with TestClient(make_app(assembly.settings)) as client:
        yield client


@pytest.fixture
def without_redis(assembly: Assembly) -> Settings:
    return assembly.settings.model_copy(
        update={"redis_url": SecretStr(f"redis://127.0.0.1:{NOWHERE}")}
    )


@pytest.fixture
def without_database(assembly: Assembly) -> Settings:
    return assembly.settings.model_copy(
        update={"database_url": SecretStr(f"postgresql://postgres@127.0.0.1:{NOWHERE}/none")}
    )


@pytest.fixture
def silent() -> Iterator[SilentServer]:
    server = SilentServer()
    yield server
    server.close()


@pytest.fixture
def private_redis(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A Redis that a test may stop and start."""
    server = private_valkey(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def board(assembly: Assembly) -> ProgressBoard:
    """The progress of trainings in Redis."""
    return ProgressBoard(TcpCommands(assembly.redis))


@pytest.fixture
def run() -> Callable[..., object]:
    return running


@contextmanager
def running(settings: Settings) -> Iterator[Server]:
    """A real server on a free port, as long as the block lasts."""
    server = Server(make_app(settings), settings.host, 0, settings.keep_alive_seconds)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        yield server
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def server(assembly: Assembly) -> Iterator[Server]:
    """The web app in a real server."""
    with running(assembly.settings) as server:
        yield server
