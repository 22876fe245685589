"""A listener notices a connection of which nothing comes any more, and connects anew."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import redis

from runtime.assembly import Assembly
from services.redis import doorbell
from services.redis.doorbell import RELAY, Listener, channel_of
from tests.services.redis.stand_ins import Proxy, hanging_redis, scripted_redis
from tests.waiting import wait_until

TEST_AFTER, ANSWER_WITHIN = 0.1, 0.3


@pytest.fixture
def proxy(assembly: Assembly) -> Iterator[Proxy]:
    proxy = Proxy(assembly.settings.redis)
    yield proxy
    proxy.close()


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Listener]]:
    """Start a listener for whom a minute is a moment; its first ring is over."""
    monkeypatch.setattr(doorbell, "STOP_WITHIN", 0.05)
    monkeypatch.setattr(doorbell, "RECONNECT_AFTER", 0.05)
    started = []

    def listen(url: str, test_after: float = TEST_AFTER) -> Listener:
        monkeypatch.setattr(doorbell, "TEST_SOON", test_after)
        monkeypatch.setattr(doorbell, "TEST_AFTER", test_after)
        monkeypatch.setattr(doorbell, "ANSWER_WITHIN", ANSWER_WITHIN)
        listener = Listener(url, [RELAY])
        started.append(listener)
        listener.start()
        assert listener.bells[RELAY].wait(5)
        listener.bells[RELAY].clear()
        return listener

    yield listen
    for listener in started:
        listener.stop()
        listener.join(5)
        assert not listener.is_alive()


def test_together_the_test_and_its_answer_take_a_minute_at_most() -> None:
    assert doorbell.TEST_AFTER + doorbell.ANSWER_WITHIN <= 60
    assert doorbell.ANSWER_WITHIN + doorbell.STOP_WITHIN <= 10


def test_an_idle_connection_that_is_tested_is_kept(
    assembly: Assembly, proxy: Proxy, listen: Callable[[str], Listener]
) -> None:
    listener = listen(proxy.url)

    time.sleep(5 * TEST_AFTER)

    (client,) = (
        client
        for client in assembly.redis.client_list()
        if client["name"] == "insights-listener" and client["cmd"] == "del"
    )
    assert proxy.connections == 1
    assert not listener.bells[RELAY].is_set()
    assert client["sub"] == "1"
    assembly.redis.publish(channel_of(RELAY), b"")
    assert listener.bells[RELAY].wait(5)


def test_an_idle_connection_that_is_swallowed_is_given_up(
    assembly: Assembly, proxy: Proxy, listen: Callable[[str], Listener]
) -> None:
    listener = listen(proxy.url)
    proxy.freeze()

    # Connected again, it rings for what it may have missed, and hears what comes.
    assert listener.bells[RELAY].wait(5)
    listener.bells[RELAY].clear()
    assembly.redis.publish(channel_of(RELAY), b"")
    assert listener.bells[RELAY].wait(5)


def test_a_connection_is_tested_at_once_when_another_one_failed(
    proxy: Proxy, listen: Callable[..., Listener]
) -> None:
    listener = listen(proxy.url, test_after=3600)
    proxy.freeze()
    time.sleep(2 * ANSWER_WITHIN)
    assert proxy.connections == 1

    listener.test_connection()

    assert listener.bells[RELAY].wait(5)
    assert proxy.connections == 2


def test_a_subscription_that_is_not_answered_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doorbell, "ANSWER_WITHIN", 0.1)
    monkeypatch.setattr(doorbell, "STOP_WITHIN", 0.05)
    monkeypatch.setattr(doorbell, "RECONNECT_AFTER", 0.05)
    with scripted_redis(lambda _: None) as server:
        listener = Listener(server.url, [RELAY])
        listener.start()
        wait_until(lambda: server.connections > 1)
        listener.stop()
        listener.join(5)


def test_a_server_that_accepts_and_says_nothing_stops_no_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.redis.connections.COMMAND_TIMEOUT", 0.1)
    with hanging_redis() as url:
        listener = Listener(url, [RELAY])
        with pytest.raises(redis.TimeoutError):
            listener.listen()


@pytest.mark.parametrize(
    "says", ["READONLY You can't write against a read only replica.", "LOADING"]
)
def test_a_server_that_serves_no_more_is_left(says: str, listen: Callable[[str], Listener]) -> None:
    subscribed = threading.Event()

    def answer(words: list[bytes]) -> bytes:
        if words[0] == b"SUBSCRIBE":
            subscribed.set()
            return b">3\r\n$9\r\nsubscribe\r\n$%d\r\n%b\r\n:1\r\n" % (len(words[1]), words[1])
        return f"-{says}\r\n".encode()

    with scripted_redis(answer) as server:
        listen(server.url)
        wait_until(lambda: server.connections > 1)
