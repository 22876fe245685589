"""How requests are counted in their window."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fakeredis

from errors import ProviderDown
from services.redis.commands import Command
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


def test_a_window_that_began_before_the_clock_went_back_ends(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis
) -> None:
    fake_redis.set("ratelimit:a", 1000, ex=86400)

    assert count(RateLimit(fake_commands, 2, 60)).used == 1
    assert 0 < fake_redis.ttl("ratelimit:a") <= 60


class SlowlyFailing:
    """Commands that take a while and then fail; how many were sent at once."""

    def __init__(self) -> None:
        self.sent = 0

    def run(self, *_commands: Command) -> list[Any]:
        self.sent += 1
        time.sleep(0.2)
        raise ProviderDown("Redis does not answer.")


def test_of_many_requests_one_a_second_asks_a_redis_that_hangs() -> None:
    commands = SlowlyFailing()
    limit = RateLimit(commands, 2, 60)
    assert limit.count("a") is None
    limit.breaker.next_try = 0.0  # the second is over

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(limit.count, ["a"] * 20)) == [None] * 20

    assert commands.sent == 2


def test_a_redis_that_answers_again_counts_again(fake_commands: TcpCommands) -> None:
    limit = RateLimit(fake_commands, 2, 60)
    limit.breaker.next_try = 0.0

    assert [count(limit).used for _ in range(2)] == [1, 2]
