"""Nobody's data are touched."""

from pathlib import Path

import pytest
import redis

from benchmarks.errors import BenchFailed
from benchmarks.ground import Ground, empty_database, ground, refuse_company
from benchmarks.site import KEYS, administer, site
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


def test_keys_of_others_outlive_a_measurement(given: Ground) -> None:
    with redis.Redis.from_url(given.redis_url) as client:
        with site(given) as at:
            at.assembly.redis.set(KEYS[0].replace("*", "queue:usage"), "ours")
            client.set("somebody's", "own")

        assert client.keys() == [b"somebody's"]
        client.delete("somebody's")


def test_a_redis_on_which_a_relay_listens_is_refused(given: Ground) -> None:
    with redis.Redis.from_url(given.redis_url) as client, client.pubsub() as line:
        line.subscribe(channel_of(RELAY))
        line.get_message(timeout=5)

        with pytest.raises(BenchFailed, match="A relay is running"):
            refuse_company(given.redis_url)


def test_processes_see_nothing_of_the_callers_providers(
    given: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_real")

    with site(given) as at:
        assert "POSTHOG_API_KEY" not in at.processes.environment
        assert Path(at.processes.environment["INSIGHTS_HOME"]) == given.folder


@pytest.mark.parametrize(
    ("name", "url"),
    [("database_url", "postgresql://127.0.0.1:1/x"), ("redis_url", "redis://127.0.0.1:1")],
)
def test_a_given_server_that_is_away_is_named(
    servers: Servers, tmp_path: Path, name: str, url: str
) -> None:
    places = {"database_url": servers.database_url, "redis_url": servers.redis_url, name: url}
    settings = load_settings(_env_file=None, insights_home=tmp_path, **places)

    with pytest.raises(BenchFailed, match=f"Nobody answers at {name.upper()}"), ground(settings):
        pass


def test_a_database_that_cannot_be_made_is_explained(given: Ground) -> None:
    with pytest.raises(BenchFailed, match="Leave DATABASE_URL unset"):
        administer(given, "CREATE DATABASE postgres")
