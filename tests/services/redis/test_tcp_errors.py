"""A Redis that cannot work is down; its errors become ours, without what they quote."""

import threading
from collections.abc import Iterator
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from errors import ProviderDown
from services.redis.commands import UNABLE, CommandFailed, evaluate
from services.redis.connections import connect
from services.redis.tcp import TcpCommands

SECRET = "ada@example.com"
GREETINGS = {b"HELLO": b"%1\r\n+proto\r\n:3\r\n", b"CLIENT": b"+OK\r\n"}


class FailingRedis(ThreadingTCPServer):
    """Answers everything but a greeting with what it `says`."""

    says = b"-ERR\r\n"
    daemon_threads = True


class Connection(StreamRequestHandler):
    server: FailingRedis

    def handle(self) -> None:
        while header := self.rfile.readline():
            words = [self.word() for _ in range(int(header[1:]))]
            self.wfile.write(GREETINGS.get(words[0], self.server.says))

    def word(self) -> bytes:
        size = int(self.rfile.readline()[1:])
        return self.rfile.read(size + 2)[:size]


@pytest.fixture
def failing() -> Iterator[FailingRedis]:
    with FailingRedis(("127.0.0.1", 0), Connection) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def commands(failing: FailingRedis) -> Iterator[TcpCommands]:
    with connect(f"redis://127.0.0.1:{failing.server_address[1]}") as client:
        yield TcpCommands(client)


@pytest.mark.parametrize("word", UNABLE)
def test_a_redis_that_cannot_work_is_down(
    word: str, failing: FailingRedis, commands: TcpCommands
) -> None:
    failing.says = f"-{word} and says why\r\n".encode()

    with pytest.raises(ProviderDown) as raised:
        commands.run(("SET", "k", SECRET), ("GET", SECRET))

    assert "Command #" not in str(raised.value)
    assert SECRET not in str(raised.value)


def test_a_redis_with_too_many_clients_is_down(
    failing: FailingRedis, commands: TcpCommands
) -> None:
    failing.says = b"-ERR max number of clients reached\r\n"

    with pytest.raises(ProviderDown):
        commands.run(("GET", "k"))


@pytest.mark.parametrize(
    "said",
    [
        "WRONGTYPE Operation against a key holding the wrong kind of value",
        f"ERR unknown command 'SET', with args beginning with: 'k' '{SECRET}' ",
        f"ERR unknown command `SET`, with args beginning with: `k`, `{SECRET}`, ",
        f'ERR no such thing as "{SECRET}"',
        "ERR max request size exceeded",
        "BUSYKEY Target key name already exists.",
        "NOSCRIPT No matching script.",
    ],
)
def test_a_command_that_cannot_be_done_is_named_without_its_arguments(
    said: str, failing: FailingRedis, commands: TcpCommands
) -> None:
    failing.says = f"-{said}\r\n".encode()

    with pytest.raises(CommandFailed) as raised:
        commands.run(("SET", "k", SECRET))

    message = str(raised.value)
    assert message.startswith(f"Redis refused SET: {said.split(maxsplit=1)[0]} ")
    assert SECRET not in message
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_the_connection_can_be_used_again_after_an_error(
    failing: FailingRedis, commands: TcpCommands
) -> None:
    for says in (b"-ERR no\r\n", b"-OOM no\r\n", b"-LOADING no\r\n"):
        failing.says = says
        with pytest.raises((ProviderDown, CommandFailed)):
            commands.run(("GET", "a"), ("GET", "b"))
    failing.says = b"$2\r\nok\r\n"

    assert commands.run(("GET", "a"), ("GET", "b")) == ["ok", "ok"]


def test_what_a_script_raises_is_a_failed_command(fake_commands: TcpCommands) -> None:
    with pytest.raises(CommandFailed, match="refused EVAL"):
        fake_commands.run(evaluate("return redis.call('LPUSH', KEYS[1])", ["k"]))
