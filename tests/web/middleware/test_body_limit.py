"""Bodies over 1 MiB are refused, and their rest is not read."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from starlette.testclient import TestClient

from tests.web.requests import KEY, STRUCTURED, cloud_event, until
from web.middleware.body_limit import MOST
from web.serve import Server

CHUNK = b"x" * 1024


def test_a_length_that_is_too_great_is_refused_before_a_byte_is_read(server: Server) -> None:
    with connected(server) as line:
        line.sendall(head(f"Content-Length: {MOST + 1}"))
        answer = everything(line)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer


def test_chunks_are_counted_and_the_rest_is_not_read(server: Server) -> None:
    with connected(server) as line:
        line.sendall(head("Transfer-Encoding: chunked"))
        for _ in range(MOST // len(CHUNK)):
            line.sendall(b"400\r\n" + CHUNK + b"\r\n")
        line.sendall(b"1\r\nx\r\n")
        answer = everything(line)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer.lower()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 413


@pytest.mark.parametrize("path", ["/events", "/healthz", "/nowhere"])
def test_a_body_is_too_large_wherever_it_goes(client: TestClient, path: str) -> None:
    answer = client.post(path, content=b"x" * (MOST + 1))

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_may_have_just_a_mebibyte(client: TestClient, user_id: UUID) -> None:
    event = json.dumps(cloud_event(user_id)).encode()

    just = client.post("/events", content=event.ljust(MOST), headers=STRUCTURED)
    over = client.post("/events", content=event.ljust(MOST + 1), headers=STRUCTURED)

    assert (just.status_code, over.status_code) == (202, 413)


def test_chunks_below_the_limit_are_taken(server: Server, user_id: UUID) -> None:
    def chunks() -> Iterator[bytes]:
        yield from (bytes([each]) for each in json.dumps(cloud_event(user_id)).encode())

    answer = httpx.post(f"{server.url}/events", content=chunks(), headers=KEY | STRUCTURED)

    assert answer.status_code == 202


def test_a_stranger_is_refused_without_their_body_being_read(server: Server) -> None:
    with connected(server) as line:
        line.sendall(
            b"POST /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Length: 1000000\r\n\r\n"
        )
        assert everything(line).startswith(b"HTTP/1.1 401")


def test_a_sender_that_leaves_early_does_no_harm(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with connected(server) as line:
        line.sendall(head("Content-Length: 1000") + b"{")
    until(lambda: not server.server_state.connections)
    until(lambda: not server.server_state.tasks)

    assert not [each for each in caplog.records if each.exc_info]
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def connected(server: Server) -> closing[socket.socket]:
    """A line to the server, for what no well-behaved client would send."""
    url = urlsplit(server.url)
    assert url.hostname
    assert url.port
    line = socket.create_connection((url.hostname, url.port), timeout=10)
    return closing(line)


def head(length: str) -> bytes:
    """The head of a request to publish."""
    headers = [f"{name}: {value}" for name, value in (KEY | STRUCTURED).items()]
    return "\r\n".join(["POST /events HTTP/1.1", "Host: x", *headers, length, "", ""]).encode()


def everything(line: socket.socket) -> bytes:
    """All that comes until the server hangs up."""
    parts = []
    while part := line.recv(65536):
        parts.append(part)
    return b"".join(parts)
