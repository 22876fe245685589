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
from web.middleware.body_limit import MAX_BODY
from web.serve import Server

CHUNK = b"x" * 1024


def test_a_length_that_is_too_great_is_refused_before_a_byte_is_read(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(head(f"Content-Length: {MAX_BODY + 1}"))
        answer = read_all(connection)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer


def test_chunks_are_counted_and_the_rest_is_not_read(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(head("Transfer-Encoding: chunked"))
        for _ in range(MAX_BODY // len(CHUNK)):
            connection.sendall(b"400\r\n" + CHUNK + b"\r\n")
        connection.sendall(b"1\r\nx\r\n")
        answer = read_all(connection)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer.lower()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 413


@pytest.mark.parametrize("path", ["/events", "/healthz", "/nowhere"])
def test_a_body_is_too_large_wherever_it_goes(client: TestClient, path: str) -> None:
    answer = client.post(path, content=b"x" * (MAX_BODY + 1))

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_may_have_just_a_mebibyte(client: TestClient, user_id: UUID) -> None:
    event = json.dumps(cloud_event(user_id)).encode()

    just = client.post("/events", content=event.ljust(MAX_BODY), headers=STRUCTURED)
    over = client.post("/events", content=event.ljust(MAX_BODY + 1), headers=STRUCTURED)

    assert (just.status_code, over.status_code) == (202, 413)


def test_chunks_below_the_limit_are_accepted(server: Server, user_id: UUID) -> None:
    def chunks() -> Iterator[bytes]:
        yield from (bytes([each]) for each in json.dumps(cloud_event(user_id)).encode())

    answer = httpx.post(f"{server.url}/events", content=chunks(), headers=KEY | STRUCTURED)

    assert answer.status_code == 202


def test_a_request_without_a_key_is_refused_without_its_body_being_read(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(
            b"POST /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Length: 1000000\r\n\r\n"
        )
        assert read_all(connection).startswith(b"HTTP/1.1 401")


def test_a_client_that_disconnects_early_does_no_harm(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with connected(server) as connection:
        connection.sendall(head("Content-Length: 1000") + b"{")
    until(lambda: not server.server_state.connections)
    until(lambda: not server.server_state.tasks)

    assert not [each for each in caplog.records if each.exc_info]
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def connected(server: Server) -> closing[socket.socket]:
    """A connection to the server, for what no well-behaved client would send."""
    url = urlsplit(server.url)
    assert url.hostname
    assert url.port
    connection = socket.create_connection((url.hostname, url.port), timeout=10)
    return closing(connection)


def head(length: str) -> bytes:
    """The head of a request to publish."""
    headers = [f"{name}: {value}" for name, value in (KEY | STRUCTURED).items()]
    return "\r\n".join(["POST /events HTTP/1.1", "Host: x", *headers, length, "", ""]).encode()


def read_all(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)
