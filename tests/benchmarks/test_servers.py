"""Measurements never run where others have data."""

from pathlib import Path

import pytest
import redis

from benchmarks.errors import BenchFailed
from benchmarks.servers import BenchServers, bench_servers, empty_database, refuse_shared_redis
from services.redis.doorbell import RELAY, channel_of
from settings import load_settings
from tests.factories import Servers


def test_a_given_redis_is_used_where_nothing_lies(servers: Servers) -> None:
    first = empty_database(servers.redis_url)
    with redis.Redis.from_url(first) as client:
        client.set("somebody's", "own")
        second = empty_database(servers.redis_url)
        client.delete("somebody's")

    assert first != second
    assert empty_database(servers.redis_url) == first


def test_a_redis_on_which_a_relay_listens_is_refused(given_servers: BenchServers) -> None:
    with redis.Redis.from_url(given_servers.redis_url) as client, client.pubsub() as pubsub:
        pubsub.subscribe(channel_of(RELAY))
        pubsub.get_message(timeout=5)

        with pytest.raises(BenchFailed, match="A relay is running"):
            refuse_shared_redis(given_servers.redis_url)


@pytest.mark.parametrize(
    ("name", "url"),
    [("database_url", "postgresql://127.0.0.1:1/x"), ("redis_url", "redis://127.0.0.1:1")],
)
def test_a_given_server_that_is_away_is_named(
    servers: Servers, tmp_path: Path, name: str, url: str
) -> None:
    places = {"database_url": servers.database_url, "redis_url": servers.redis_url, name: url}
    settings = load_settings(_env_file=None, insights_home=tmp_path, **places)

    with (
        pytest.raises(BenchFailed, match=f"No server answers at {name.upper()}"),
        bench_servers(settings),
    ):
        pass
