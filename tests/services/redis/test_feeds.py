"""The live updates of a training are the same over TCP and over REST, and none is missed."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from errors import ProviderDown
from events.progress import TrainingProgress
from runtime.assembly import Assembly
from services.redis import tcp_feed
from services.redis.progress import ProgressBoard
from services.redis.progress_feed import Feed
from services.redis.tcp import TcpCommands
from services.redis.transports import feed_over
from services.redis.upstash import RestEndpoint
from tests.doubles import Doubles
from tests.services.redis.stand_ins import Proxy

Make = Callable[[], Feed]


@pytest.fixture(params=["tcp", "upstash"])
def make(request: pytest.FixtureRequest, assembly: Assembly, endpoint: RestEndpoint) -> Make:
    rest = endpoint if request.param == "upstash" else None
    return lambda: feed_over(assembly.settings.redis, rest, "t-1")


def follow(make: Make, listen: Callable[[Feed], Awaitable[None]]) -> None:
    async def run() -> None:
        async with make() as feed:
            await listen(feed)

    asyncio.run(run())


def at(version: int) -> TrainingProgress:
    return TrainingProgress("t-1", 40, "Lernt, ja", "running", version)


def test_updates_arrive_from_the_confirmation_of_the_subscription_on(
    make: Make, assembly: Assembly
) -> None:
    board = ProgressBoard(TcpCommands(assembly.redis))

    async def listen(feed: Feed) -> None:
        assert await feed.next(5) is None
        await asyncio.to_thread(board.show, [at(1000), at(2000)])
        assert [await feed.next(5), await feed.next(5)] == [at(1000), at(2000)]

    follow(make, listen)


def test_silence_says_that_the_hash_should_be_read(make: Make) -> None:
    async def listen(feed: Feed) -> None:
        assert [await feed.next(0.2) for _ in range(3)] == [None] * 3

    follow(make, listen)


def test_over_rest_a_silence_does_not_end_the_stream(
    doubles: Doubles, assembly: Assembly, endpoint: RestEndpoint
) -> None:
    board = ProgressBoard(TcpCommands(assembly.redis))

    async def listen(feed: Feed) -> None:
        await feed.next(5)
        doubles.set_fault("upstash", "status", status=503)
        assert [await feed.next(0.2) for _ in range(3)] == [None] * 3
        await asyncio.to_thread(board.show, [at(1000)])
        assert await feed.next(5) == at(1000)

    follow(lambda: feed_over("", endpoint, "t-1"), listen)


def test_messages_of_other_publishers_are_passed_over(make: Make, assembly: Assembly) -> None:
    async def listen(feed: Feed) -> None:
        await feed.next(5)
        for text in ("not JSON", "[]", '{"progress": 1}'):
            assembly.redis.publish("training:t-1", text)
        assert [await feed.next(0.5) for _ in range(3)] == [None] * 3

    follow(make, listen)


def test_a_failed_subscription_raises_and_the_next_call_subscribes_again(
    doubles: Doubles, assembly: Assembly, endpoint: RestEndpoint
) -> None:
    doubles.set_fault("upstash", "status", status=503)

    async def listen(feed: Feed) -> None:
        with pytest.raises(ProviderDown):
            await feed.next(1)
        doubles.clear_fault("upstash")
        assert await feed.next(1) is None

    follow(lambda: feed_over("", endpoint, "t-1"), listen)


def test_over_tcp_a_connection_that_is_swallowed_is_given_up_and_made_again(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_feed, "TEST_AFTER", 0.0)
    monkeypatch.setattr(tcp_feed, "ANSWER_WITHIN", 0.3)
    board = ProgressBoard(TcpCommands(assembly.redis))
    proxy = Proxy(assembly.settings.redis)

    async def listen(feed: Feed) -> None:
        await feed.next(5)
        assert await feed.next(0.1) is None  # it answers, and is kept
        assert proxy.connections == 1
        proxy.freeze()
        with pytest.raises(ProviderDown):
            await feed.next(0.1)
        await feed.next(5)
        await asyncio.to_thread(board.show, [at(1000)])
        assert await feed.next(5) == at(1000)

    follow(lambda: feed_over(proxy.url, None, "t-1"), listen)
    proxy.close()
