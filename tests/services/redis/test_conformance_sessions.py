"""Sessions are the same over TCP and over REST."""

import time

import pytest

from events import uuid7
from services.redis.commands import Commands, evaluate
from services.redis.sessions import AccountClosed, Sessions, digest


def test_a_session_is_known_by_its_id_and_redis_knows_only_a_hash(commands: Commands) -> None:
    sessions, user = Sessions(commands), uuid7()
    id_ = sessions.create(user, {"ip": "somewhere"})

    found = sessions.read(id_)
    (keys,) = commands.run(("KEYS", "*"))

    assert found is not None
    assert (found.user_id, found.data) == (user, {"ip": "somewhere"})
    assert len(id_) == 43
    assert not any(id_ in key for key in keys)
    assert sessions.read("guess") is None


def test_a_session_ends_when_it_is_idle_and_at_the_latest_when_it_must(commands: Commands) -> None:
    sessions = Sessions(commands, idle=100, longest=250)
    id_ = sessions.create(uuid7())
    (key,) = commands.run(("KEYS", "session:*"))[0]

    commands.run(("EXPIRE", key, 5))
    assert sessions.read(id_)
    assert 95 <= commands.run(("TTL", key))[0] <= 100

    commands.run(("HSET", key, "ends_at", repr(time.time() + 30)))
    assert sessions.read(id_)
    assert 25 <= commands.run(("TTL", key))[0] <= 31

    commands.run(("HSET", key, "ends_at", repr(time.time() - 1)))
    assert sessions.read(id_) is None
    assert commands.run(("EXISTS", key)) == [0]


def test_a_rotated_session_has_a_new_id_only(commands: Commands) -> None:
    sessions, user = Sessions(commands), uuid7()
    old = sessions.create(user, {"n": 1})

    new = sessions.rotate(old, user)

    assert new is not None
    assert sessions.read(old) is None
    found = sessions.read(new)
    assert found is not None
    assert found.data == {"n": 1}
    assert sessions.rotate(old, user) is None
    assert sessions.revoke_all(user) == 1


def test_one_session_or_all_of_a_user_can_be_revoked(commands: Commands) -> None:
    sessions, user, other = Sessions(commands), uuid7(), uuid7()
    first, second, third = (sessions.create(user) for _ in range(3))
    theirs = sessions.create(other)

    sessions.revoke(first, user)
    assert [bool(sessions.read(each)) for each in (first, second)] == [False, True]
    assert sessions.revoke_all(user) == 2
    assert [bool(sessions.read(each)) for each in (second, third, theirs)] == [False, False, True]


def test_no_session_begins_for_an_account_that_is_closed(commands: Commands) -> None:
    sessions, user = Sessions(commands), uuid7()
    before = sessions.create(user)

    assert sessions.close(user) == 1

    assert sessions.read(before) is None
    with pytest.raises(AccountClosed):
        sessions.create(user)
    assert sessions.revoke_all(user) == 0
    assert sessions.read(sessions.create(uuid7())) is not None


def test_sessions_that_ended_by_themselves_leave_the_list(commands: Commands) -> None:
    sessions, user = Sessions(commands, idle=100, longest=250), uuid7()
    commands.run(("SADD", f"sessions:{user}", *(f"ended-{number}" for number in range(30))))

    kept = [sessions.create(user) for _ in range(10)]
    rotated = [sessions.rotate(id_, user) for id_ in kept]

    everybody = evaluate("return redis.call('SMEMBERS', KEYS[1])", [f"sessions:{user}"])
    (members,) = commands.run(everybody)
    assert {digest(str(id_)) for id_ in rotated} <= set(members)
    assert len(members) < 10 + 20
