"""What sessions leave in Redis, and when they end."""

import time
from collections.abc import Callable

import fakeredis
import pytest

from events import uuid7
from services.redis.sessions import AccountClosed, Sessions, digest
from services.redis.tcp import TcpCommands


@pytest.fixture
def sessions(fake_commands: TcpCommands) -> Sessions:
    return Sessions(fake_commands, idle=100, longest=250)


def test_a_session_is_stored_under_its_hash_and_listed_for_its_user(
    sessions: Sessions, fake_redis: fakeredis.FakeRedis
) -> None:
    user = uuid7()

    id_ = sessions.create(user, {"n": 1})

    key = f"session:{digest(id_)}"
    assert set(fake_redis.keys()) == {key, f"sessions:{user}"}
    assert fake_redis.smembers(f"sessions:{user}") == {digest(id_)}
    assert fake_redis.hget(key, "data") == '{"n": 1}'
    assert 99 <= fake_redis.ttl(key) <= 100
    assert 249 <= fake_redis.ttl(f"sessions:{user}") <= 250


def test_reading_moves_the_end_on_but_not_beyond_the_longest(
    sessions: Sessions, fake_redis: fakeredis.FakeRedis
) -> None:
    id_ = sessions.create(uuid7())
    key = f"session:{digest(id_)}"
    fake_redis.expire(key, 5)

    assert sessions.read(id_)
    assert 99 <= fake_redis.ttl(key) <= 100

    fake_redis.hset(key, "ends_at", repr(time.time() + 30))
    assert sessions.read(id_)
    assert 28 <= fake_redis.ttl(key) <= 31


def test_a_session_beyond_its_longest_is_deleted(
    sessions: Sessions, fake_redis: fakeredis.FakeRedis
) -> None:
    id_ = sessions.create(uuid7())
    fake_redis.hset(f"session:{digest(id_)}", "ends_at", repr(time.time() - 1))

    assert sessions.read(id_) is None
    assert not fake_redis.exists(f"session:{digest(id_)}")


def test_rotating_moves_the_session_and_its_entry_in_the_list(
    sessions: Sessions, fake_redis: fakeredis.FakeRedis
) -> None:
    user = uuid7()
    old = sessions.create(user)

    new = sessions.rotate(old, user)

    assert new is not None
    assert fake_redis.smembers(f"sessions:{user}") == {digest(new)}
    assert fake_redis.keys("session:*") == [f"session:{digest(new)}"]
    assert sessions.rotate(old, user) is None


def test_the_list_of_a_user_with_one_session_still_ends_after_rotating(
    sessions: Sessions, fake_redis: fakeredis.FakeRedis
) -> None:
    user = uuid7()

    sessions.rotate(sessions.create(user), user)

    assert 249 <= fake_redis.ttl(f"sessions:{user}") <= 250


def test_revoking_one_leaves_the_others(
    sessions: Sessions, fake_redis: fakeredis.FakeRedis
) -> None:
    user = uuid7()
    first, second = sessions.create(user), sessions.create(user)

    sessions.revoke(first, user)

    assert fake_redis.smembers(f"sessions:{user}") == {digest(second)}
    assert fake_redis.keys("session:*") == [f"session:{digest(second)}"]


@pytest.mark.parametrize(("end", "closed"), [(Sessions.revoke_all, False), (Sessions.close, True)])
def test_all_of_a_user_end_and_a_closed_account_gets_none(
    end: Callable[..., int],
    closed: bool,
    sessions: Sessions,
    fake_redis: fakeredis.FakeRedis,
) -> None:
    user = uuid7()
    for _ in range(3):
        sessions.create(user)

    assert end(sessions, user) == 3

    assert fake_redis.keys() == ([f"left:{user}"] if closed else [])
    if closed:
        assert 249 <= fake_redis.ttl(f"left:{user}") <= 250
        with pytest.raises(AccountClosed):
            sessions.create(user)
        assert fake_redis.keys() == [f"left:{user}"]


def test_sessions_that_ended_by_themselves_leave_the_list_when_it_grows(
    sessions: Sessions, fake_redis: fakeredis.FakeRedis
) -> None:
    user = uuid7()
    index = f"sessions:{user}"
    fake_redis.sadd(index, *(digest(str(number)) for number in range(1000)))
    kept = [sessions.create(user) for _ in range(20)]

    assert fake_redis.scard(index) < 1000 - 20 * 8 + 20
    for _ in range(300):
        sessions.revoke(sessions.create(user), user)
    kept[0] = str(sessions.rotate(kept[0], user))

    members = fake_redis.smembers(index)
    assert members >= {digest(id_) for id_ in kept}
    assert len(members) < 20 + 15


def test_a_list_never_holds_many_more_than_the_sessions_that_live(
    sessions: Sessions, fake_redis: fakeredis.FakeRedis
) -> None:
    user = uuid7()
    for _ in range(500):
        fake_redis.delete(f"session:{digest(sessions.create(user))}")  # it is over

    assert fake_redis.scard(f"sessions:{user}") <= 20


def test_reading_a_session_beyond_its_longest_takes_it_off_the_list(
    sessions: Sessions, fake_redis: fakeredis.FakeRedis
) -> None:
    user = uuid7()
    id_ = sessions.create(user)
    fake_redis.hset(f"session:{digest(id_)}", "ends_at", repr(time.time() - 1))

    assert sessions.read(id_) is None
    assert not fake_redis.exists(f"sessions:{user}")
