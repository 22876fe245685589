"""A Redis fails over: relay and worker go on at the new primary, without a restart."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import redis
from sqlalchemy import text

from events import PredictionMade
from runtime.assembly import Assembly
from runtime.embedded.valkey import private_valkey
from runtime.environment import environment
from runtime.supervisor import insights_command
from tests.factories import publish_now
from tests.services.redis.stand_ins import Proxy
from tests.waiting import wait_until

IN_TIME = 30.0  # seconds for a process to start and to work
OWED = text("SELECT count(*) FROM insights.delivery_states WHERE handler = 'usage'")


@pytest.fixture
def proxies(tmp_path: Path) -> Iterator[tuple[Proxy, Proxy]]:
    """Two Valkeys over TCP."""
    servers = [private_valkey(tmp_path / name) for name in ("first", "second")]
    for server in servers:
        server.start()
    proxies = [Proxy(server.url) for server in servers]
    yield proxies[0], proxies[1]
    for proxy, server in zip(proxies, servers, strict=True):
        proxy.close()
        server.stop()


def test_relay_and_worker_go_on_at_the_new_primary(
    assembly: Assembly, user_id: UUID, proxies: tuple[Proxy, Proxy]
) -> None:
    proxy, second = proxies
    variables = os.environ | environment(assembly.settings)
    variables |= {"REDIS_URL": proxy.url, "BROKER_URL": proxy.url}
    commands = (["relay"], ["worker", "--handlers", "usage"])
    processes = [subprocess.Popen(insights_command(*each), env=variables) for each in commands]

    def publish_and_wait() -> None:
        publish_now(assembly, *(PredictionMade(user_id=user_id, model_id="m") for _ in range(9)))
        wait_until(lambda: not owed(assembly), IN_TIME)

    try:
        publish_and_wait()
        with redis.Redis.from_url(proxy.url) as old:
            old.replicaof("127.0.0.1", second.port)
            proxy.leads_to = second.leads_to
        for _ in range(3):
            publish_and_wait()
        with redis.Redis.from_url(second.url) as new:
            names = {client["name"] for client in new.client_list()}
        assert "insights" in names  # what is sent goes there
    finally:
        for process in processes:
            process.kill()
            process.wait()


def owed(assembly: Assembly) -> int:
    with assembly.engine.connect() as connection:
        return int(connection.scalar(OWED) or 0)
