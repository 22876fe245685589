"""What the cache leaves in Redis."""

import json

import fakeredis
import pytest

from services.redis.cache import Cache, lock_key
from services.redis.commands import evaluate
from services.redis.tcp import TcpCommands


@pytest.fixture
def cache(fake_commands: TcpCommands) -> Cache:
    return Cache(fake_commands)


def test_a_value_is_stored_as_json_with_an_end(
    cache: Cache, fake_redis: fakeredis.FakeRedis
) -> None:
    cache.set("k", {"a": [1, None]}, ttl=100)

    assert json.loads(str(fake_redis.get("k"))) == {"a": [1, None]}
    assert 90 <= fake_redis.ttl("k") <= 110
    assert cache.exists("k")


def test_deleting_an_entry_deletes_its_lock(cache: Cache, fake_redis: fakeredis.FakeRedis) -> None:
    fake_redis.mset({"k": "1", lock_key("k"): "token", "other": "1"})

    cache.delete("k", "none")

    assert fake_redis.keys() == ["other"]


def test_nothing_is_asked_of_redis_to_delete_no_entry(cache: Cache) -> None:
    cache.delete()


def test_a_hit_takes_no_lock(cache: Cache, fake_redis: fakeredis.FakeRedis) -> None:
    fake_redis.set("k", "42")

    assert cache.read("k", lambda: pytest.fail("computed")) == 42
    assert fake_redis.keys() == ["k"]


def test_one_miss_takes_the_lock_and_the_next_does_not(
    cache: Cache, fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis
) -> None:
    looks = [evaluate(cache.read_script, ["k", lock_key("k")], token, 5000) for token in ("a", "b")]

    assert fake_commands.run(*looks) == [[None, 1], [None, 0]]
    assert fake_redis.get(lock_key("k")) == "a"
    assert 4 <= fake_redis.ttl(lock_key("k")) <= 5


@pytest.mark.parametrize("held", ["another", None])
def test_a_value_is_stored_under_the_lock_that_it_was_computed_under_alone(
    held: str | None, cache: Cache, fake_redis: fakeredis.FakeRedis
) -> None:
    def compute() -> int:
        fake_redis.delete(lock_key("k"))
        if held is not None:
            fake_redis.set(lock_key("k"), held)
        return 42

    assert cache.read("k", compute) == 42
    assert not fake_redis.exists("k")
    assert fake_redis.get(lock_key("k")) == held


def test_a_computed_value_is_stored_with_an_end_and_its_lock_released(
    cache: Cache, fake_redis: fakeredis.FakeRedis
) -> None:
    cache.read("k", lambda: 42, ttl=100)

    assert fake_redis.keys() == ["k"]
    assert 90 <= fake_redis.ttl("k") <= 110
