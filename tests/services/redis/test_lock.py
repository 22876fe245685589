"""What a distributed lock leaves in Redis."""

import fakeredis
import pytest

from services.redis.lock import LOCK_SECONDS, Locks
from services.redis.tcp import TcpCommands


def test_one_of_two_acquires_it(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis
) -> None:
    locks = Locks(fake_commands)

    with locks.acquire("contact:1") as first, locks.acquire("contact:1") as second:
        assert (first, second) == (True, False)
        assert 0 < fake_redis.ttl("turn:contact:1") <= LOCK_SECONDS
    assert not fake_redis.keys()


def test_a_failure_in_the_block_releases_it(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis
) -> None:
    with pytest.raises(LookupError), Locks(fake_commands).acquire("l"):
        raise LookupError

    assert not fake_redis.keys()


def test_a_lock_that_another_holds_by_now_is_not_released(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis
) -> None:
    with Locks(fake_commands).acquire("l"):
        fake_redis.set("turn:l", "another's token")

    assert fake_redis.get("turn:l") == "another's token"
