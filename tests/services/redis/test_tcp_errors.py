"""A Redis that cannot work is nobody's fault; what it says is told without what it was asked."""

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


class Ill(ThreadingTCPServer):
    """A Redis that answers everything but a greeting with what it `says`."""

    says = b"-ERR\r\n"
    daemon_threads = True


class Line(StreamRequestHandler):
    server: Ill

    def handle(self) -> None:
        while header := self.rfile.readline():
            words = [self.word() for _ in range(int(header[1:]))]
            self.wfile.write(GREETINGS.get(words[0], self.server.says))

    def word(self) -> bytes:
        size = int(self.rfile.readline()[1:])
        return self.rfile.read(size + 2)[:size]


@pytest.fixture
def ill() -> Iterator[Ill]:
    with Ill(("127.0.0.1", 0), Line) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def commands(ill: Ill) -> Iterator[TcpCommands]:
    with connect(f"redis://127.0.0.1:{ill.server_address[1]}") as client:
        yield TcpCommands(client)


@pytest.mark.parametrize("word", UNABLE)
def test_a_redis_that_cannot_work_is_down(word: str, ill: Ill, commands: TcpCommands) -> None:
    ill.says = f"-{word} and says why\r\n".encode()

    with pytest.raises(ProviderDown) as raised:
        commands.run(("SET", "k", SECRET), ("GET", SECRET))

    assert "Command #" not in str(raised.value)
    assert SECRET not in str(raised.value)


def test_one_with_too_many_clients_is_down(ill: Ill, commands: TcpCommands) -> None:
    ill.says = b"-ERR max number of clients reached\r\n"

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
def test_a_command_that_cannot_be_done_is_named_without_what_it_holds(
    said: str, ill: Ill, commands: TcpCommands
) -> None:
    ill.says = f"-{said}\r\n".encode()

    with pytest.raises(CommandFailed) as raised:
        commands.run(("SET", "k", SECRET))

    told = str(raised.value)
    assert told.startswith(f"Redis refused SET: {said.split(maxsplit=1)[0]} ")
    assert SECRET not in told
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_the_line_can_be_used_again_after_an_error(ill: Ill, commands: TcpCommands) -> None:
    for says in (b"-ERR no\r\n", b"-OOM no\r\n", b"-LOADING no\r\n"):
        ill.says = says
        with pytest.raises((ProviderDown, CommandFailed)):
            commands.run(("GET", "a"), ("GET", "b"))
    ill.says = b"$2\r\nok\r\n"

    assert commands.run(("GET", "a"), ("GET", "b")) == ["ok", "ok"]


def test_what_a_script_raises_is_a_failed_command(fake_commands: TcpCommands) -> None:
    with pytest.raises(CommandFailed, match="refused EVAL"):
        fake_commands.run(evaluate("return redis.call('LPUSH', KEYS[1])", ["k"]))
