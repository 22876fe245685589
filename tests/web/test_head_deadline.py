"""Requests whose head does not end are cut off; all others take as long as they like."""

import socket
import time
from collections.abc import Callable

import pytest

from services.redis.progress import ProgressBoard
from tests.web.requests import KEY, connected, until
from tests.web.routes.trainings.streams import ended, following, running
from web import head_deadline
from web.serve import Server

TIMEOUT = 0.6  # seconds, in place of 15
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"
LOST = (ConnectionResetError, BrokenPipeError)


@pytest.fixture(autouse=True)
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    assert head_deadline.HEAD_TIMEOUT == 15
    monkeypatch.setattr(head_deadline, "HEAD_TIMEOUT", TIMEOUT)


def answer(client: socket.socket) -> bytes:
    """The answer to a request, of which all bodies here end with a brace."""
    received = b""
    while not received.endswith(b"}"):
        received += client.recv(1000)
    return received


def is_cut_off(client: socket.socket) -> bool:
    """Whether the server ends the connection, without an answer, within 5 s."""
    try:
        return client.recv(1000) == b""
    except ConnectionResetError:
        return True


def trickle(client: socket.socket, endless: Callable[[int], bytes]) -> float:
    """Send a piece every 50 ms until the server ends the connection; return after how long."""
    began = time.monotonic()
    client.settimeout(0.05)
    for number in range(100):
        try:
            client.sendall(endless(number))
            assert client.recv(1000) == b""
            break
        except TimeoutError:
            continue
        except LOST:
            break
    return time.monotonic() - began


@pytest.mark.parametrize(
    "begun",
    [b"", b"G", b"GET /healthz HTTP/1.1", b"GET / HTTP/1.1\r\nHost: a\r\n", REQUEST[:-1]],
)
def test_a_head_that_stops_in_the_middle_is_cut_off(server: Server, begun: bytes) -> None:
    with connected(server) as client:
        client.sendall(begun)

        assert is_cut_off(client)

    until(lambda: not server.server_state.connections, seconds=2)


def test_a_head_that_goes_on_for_ever_is_cut_off(server: Server) -> None:
    with connected(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")

        lasted = trickle(client, lambda number: b"X-%d: a\r\n" % number)

    assert TIMEOUT * 0.9 < lasted < 3


def test_a_further_request_on_a_connection_is_watched_from_its_first_byte(server: Server) -> None:
    with connected(server) as client:
        for _ in range(2):
            client.sendall(REQUEST)
            assert answer(client).startswith(b"HTTP/1.1 200")
            # Between requests only the keep-alive time-out runs.
            time.sleep(TIMEOUT * 1.5)
        client.sendall(b"GET /heal")

        assert is_cut_off(client)


def test_a_request_behind_another_is_watched_once_that_is_answered(server: Server) -> None:
    with connected(server) as client:
        client.sendall(REQUEST + b"GET /heal")
        assert answer(client).startswith(b"HTTP/1.1 200")

        assert is_cut_off(client)


def test_a_head_in_pieces_that_ends_in_time_is_answered(server: Server) -> None:
    with connected(server) as client:
        for piece in (REQUEST[:5], REQUEST[5:-2], REQUEST[-2:]):
            client.sendall(piece)
            time.sleep(TIMEOUT / 8)

        assert answer(client).startswith(b"HTTP/1.1 200")


def test_a_body_and_an_answer_may_last_longer(server: Server, board: ProgressBoard) -> None:
    board.show([running(1000)])
    key = KEY["Authorization"].encode()
    with following(server) as received:
        next(received)
        with connected(server) as client:
            client.sendall(
                b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nAuthorization: "
                + key + b"\r\nContent-Type: application/cloudevents-batch+json\r\n\r\n["
            )  # fmt: skip
            time.sleep(TIMEOUT * 2)
            client.sendall(b"]")

            assert answer(client).startswith(b"HTTP/1.1 202")
        board.show([ended(2000)])
        assert [each["id"] for each in received] == ["2000", "end"]
