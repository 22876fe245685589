"""How requests are counted in their window."""

import fakeredis

from services.redis.rate_limit import Allowance, RateLimit
from services.redis.tcp import TcpCommands


def count(limit: RateLimit) -> Allowance:
    found = limit.count("a")
    assert found is not None
    return found


def test_requests_are_counted_until_the_window_ends(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis
) -> None:
    limit = RateLimit(fake_commands, 2, 60)

    found = [count(limit) for _ in range(3)]

    assert [(each.used, each.exceeded, each.seconds_left) for each in found] == [
        (1, False, 60), (2, False, 60), (3, True, 60),
    ]  # fmt: skip
    assert fake_redis.keys() == ["ratelimit:a"]


def test_the_first_request_after_the_window_opens_another(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis
) -> None:
    limit = RateLimit(fake_commands, 2, 60)
    for _ in range(3):
        limit.count("a")

    fake_redis.delete("ratelimit:a")

    assert count(limit).used == 1


def test_a_counter_without_an_end_is_given_one(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis
) -> None:
    fake_redis.set("ratelimit:a", 1000)

    assert count(RateLimit(fake_commands, 2, 60)).used == 1
    assert 0 < fake_redis.ttl("ratelimit:a") <= 60


def test_a_window_that_has_begun_is_not_prolonged(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis
) -> None:
    fake_redis.set("ratelimit:a", 1, ex=10)

    assert count(RateLimit(fake_commands, 2, 60)).seconds_left <= 10


def test_a_redis_that_fails_is_not_asked_again_at_once(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis
) -> None:
    fake_redis.set("ratelimit:a", "no number", ex=60)
    limit = RateLimit(fake_commands, 2, 60)

    assert limit.count("a") is None
    fake_redis.delete("ratelimit:a")
    assert limit.count("a") is None
    assert not fake_redis.keys()
