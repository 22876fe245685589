"""Our primary becomes a replica, new connections reach the new one: all clients follow."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import redis
from dramatiq import Message

from runtime.embedded.server import EmbeddedServer
from runtime.embedded.valkey import private_valkey
from services.redis import doorbell
from services.redis.commands import evaluate
from services.redis.connections import NotServing, connect, connect_quickly
from services.redis.doorbell import RELAY, Doorbell, Listener
from services.redis.tcp import TcpCommands
from tests.services.redis.stand_ins import Proxy, scripted_redis
from workers.broker.redis import RedisDoorbellBroker

NO_PRIMARY = ("127.0.0.1", 1)
QUEUE = "external"


@dataclass
class Pair:
    """Two servers, and an address that leads to the first until it fails over."""

    old: "redis.Redis"
    new: EmbeddedServer
    proxy: Proxy

    def fail_over(self) -> None:
        """Make the first a replica that hears nothing of the second, and lead to that."""
        self.proxy.leads_to = self.new.url
        self.old.replicaof(*NO_PRIMARY)


@pytest.fixture(scope="module")
def valkeys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[EmbeddedServer]]:
    servers = [private_valkey(tmp_path_factory.mktemp("valkey")) for _ in range(2)]
    for server in servers:
        server.start()
    yield servers
    for server in servers:
        server.stop()


@pytest.fixture(params=["yes", "no"], ids=["READONLY", "MASTERDOWN"])
def pair(request: pytest.FixtureRequest, valkeys: list[EmbeddedServer]) -> Iterator[Pair]:
    first, second = valkeys
    with redis.Redis.from_url(first.url) as old, redis.Redis.from_url(second.url) as new:
        old.replicaof("NO", "ONE")
        old.flushall()
        new.flushall()
        # A replica without its primary then answers MASTERDOWN, to reading too.
        old.config_set("replica-serve-stale-data", request.param)
        proxy = Proxy(first.url)
        yield Pair(old, second, proxy)
        proxy.close()


Use = Callable[["redis.Redis"], object]


@pytest.mark.parametrize("make", [connect, connect_quickly])
@pytest.mark.parametrize(
    "use",
    [
        lambda client: client.set("k", 1),
        lambda client: client.eval("return redis.call('RPUSH', KEYS[1], 'x')", 1, "k"),
        lambda client: TcpCommands(client).run(("SET", "a", 1), ("RPUSH", "b", 2)),
        lambda client: TcpCommands(client).run(
            evaluate("redis.call('SET', KEYS[1], 1) return redis.call('GET', KEYS[1])", ["k"])
        ),
    ],
    ids=["command", "script", "commands", "script over commands"],
)
def test_commands_follow_to_the_new_primary(
    pair: Pair, make: Callable[[str], "redis.Redis"], use: Use
) -> None:
    with make(pair.proxy.url) as client:
        use(client)
        pair.fail_over()

        use(client)

        with redis.Redis.from_url(pair.new.url) as new:
            assert new.dbsize() > 0


def test_the_doorbell_is_heard_at_the_new_primary(pair: Pair) -> None:
    bell = Doorbell(pair.proxy.url)
    bell.ring()
    bell.close()
    bell.ring()  # connects to the old one
    pair.fail_over()
    listener = Listener(pair.new.url, [RELAY])
    listener.start()
    assert listener.bells[RELAY].wait(5)
    listener.bells[RELAY].clear()

    bell.ring()

    assert listener.bells[RELAY].wait(5)
    bell.close()
    listener.stop()
    listener.join(5)


def test_a_listener_leaves_a_primary_that_became_a_replica(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "TEST_SOON", 0.1)
    monkeypatch.setattr(doorbell, "TEST_AFTER", 0.1)
    monkeypatch.setattr(doorbell, "STOP_WITHIN", 0.05)
    listener = Listener(pair.proxy.url, [RELAY])
    listener.start()
    assert listener.bells[RELAY].wait(5)
    listener.bells[RELAY].clear()
    pair.fail_over()
    assert listener.bells[RELAY].wait(5)  # a new subscription
    listener.bells[RELAY].clear()

    bell = Doorbell(pair.new.url)
    bell.ring()

    assert listener.bells[RELAY].wait(5)
    bell.close()
    listener.stop()
    listener.join(5)


def test_the_broker_goes_on_at_the_new_primary(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "TEST_SOON", 0.1)
    monkeypatch.setattr(doorbell, "TEST_AFTER", 0.1)
    monkeypatch.setattr(doorbell, "STOP_WITHIN", 0.05)
    sender, broker = (RedisDoorbellBroker(pair.proxy.url, {QUEUE: 9}) for _ in range(2))
    broker.declare_queue(QUEUE)
    consumer = broker.consume(QUEUE, timeout=2000)
    message: Message[None] = Message(
        queue_name=QUEUE, actor_name=QUEUE, args=(), kwargs={}, options={}
    )
    sender.send(QUEUE, [message])
    assert next(consumer) is not None
    pair.fail_over()

    sender.send(QUEUE, [message])

    assert any(next(consumer) is not None for _ in range(5))
    sender.close()
    broker.close()


def message_of_queue() -> "Message[None]":
    return Message(queue_name=QUEUE, actor_name=QUEUE, args=(), kwargs={}, options={})


@pytest.mark.parametrize(
    "says",
    [
        "READONLY You can't write against a read only replica.",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "CLUSTERDOWN The cluster is down",
        "NOREPLICAS Not enough good replicas to write.",
        "LOADING Redis is loading the dataset in memory",
        # Of a script, before Redis 7.
        "ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -READONLY You",
    ],
)
def test_an_answer_of_who_serves_no_more_breaks_the_connection(says: str) -> None:
    asked = []

    def answer(words: list[bytes]) -> bytes:
        asked.append(words)
        return b"$2\r\nok\r\n" if len(asked) > 1 else f"-{says}\r\n".encode()

    with scripted_redis(answer) as server, connect(server.url) as client:
        assert client.get("k") == b"ok"
        assert server.connections == 2


@pytest.mark.parametrize("says", ["OOM command not allowed", "MISCONF Redis is configured", "BUSY"])
def test_an_answer_that_asks_to_wait_keeps_the_connection_and_is_not_repeated(says: str) -> None:
    asked = []

    def answer(words: list[bytes]) -> bytes:
        asked.append(words)
        return f"-{says}\r\n".encode()

    with scripted_redis(answer) as server, connect(server.url) as client:
        for _ in range(2):
            with pytest.raises(redis.ResponseError):
                client.get("k")
        assert len(asked) == 2
        assert server.connections == 1


def test_who_serves_no_more_for_long_is_down_and_says_why() -> None:
    with scripted_redis(lambda _: b"-READONLY no\r\n") as server, connect(server.url) as client:
        with pytest.raises(NotServing, match="READONLY no"):
            client.set("k", 1)
        assert server.connections == 4
