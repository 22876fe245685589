"""The door in this process, and in a real server."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from runtime.assembly import Assembly
from runtime.embedded.servers import Server as PrivateServer
from runtime.embedded.servers import private_valkey
from settings import Settings
from tests.web.requests import KEY, until
from web.app import create_app
from web.serve import Server

NOWHERE = 1


@pytest.fixture
def client(assembly: Assembly) -> Iterator[TestClient]:
    """A server that shows a key."""
    with TestClient(create_app(assembly.settings), headers=KEY) as client:
        yield client


@pytest.fixture(scope="module")
def resident(shared: Assembly) -> Iterator[TestClient]:
    """A server that shows a key, for tests that do not care what others left behind."""
    with TestClient(create_app(shared.settings), headers=KEY) as client:
        yield client


@pytest.fixture
def stranger(assembly: Assembly) -> Iterator[TestClient]:
    """Somebody without a key."""
    with TestClient(create_app(assembly.settings)) as client:
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
def own_redis(tmp_path: Path) -> Iterator[PrivateServer]:
    """A Redis that a test may stop and start."""
    server = private_valkey(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def run() -> Callable[..., object]:
    return running


@contextmanager
def running(settings: Settings) -> Iterator[Server]:
    """A real server on a free port, as long as the block lasts."""
    server = Server(settings.model_copy(update={"port": 0}))
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
    """The door in a real server."""
    with running(assembly.settings) as server:
        yield server
