"""A run of chaos finds whatever is personal or secret in what Sentry was sent."""

import gzip
import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest

from benchmarks.chaos.observed.providers import read_providers
from sandbox.client import SandboxClient
from sandbox.server import SandboxServer, running_sandbox

FINE = {
    "event_id": "6f1d6c1e9bb54f0c8c3a5d1e2f3a4b5c",
    "user": {"id": "0198c0de-0000-7000-8000-0000000000aa"},
    "contexts": {"trace": {"span_id": "b7ad6b7169203331"}},
    "description": "POST http://127.0.0.1:8010/loops/api/v1/contacts/update",
    "start": 1732474800.12345678,
}
ENVELOPE_HEADER: dict[str, Any] = {"event_id": FINE["event_id"]}


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with running_sandbox() as server:
        yield server


def leaks(server: SandboxServer) -> Sequence[str]:
    return read_providers(SandboxClient(server.url)).leaks


def send(server: SandboxServer, payload: Any, header: dict[str, Any] = ENVELOPE_HEADER) -> None:
    lines = (header, {"type": "transaction"}, payload)
    body = gzip.compress("\n".join(map(json.dumps, lines)).encode())
    url = f"{server.url}/sentry/api/1/envelope/?sentry_key=key"
    httpx.post(url, content=body).raise_for_status()


def test_what_may_be_sent_is_no_leak(server: SandboxServer) -> None:
    send(server, FINE)

    assert leaks(server) == []


@pytest.mark.parametrize(
    "personal",
    [
        "0198c0de@example.com",
        "email=0198c0de%40example.com",
        "nobody is called Ada",
        "nobody is called:\nAda",
        "nobody is called '12ab34cd'",
        "Bearer something",
        "sandbox-key",
        "phc_sandbox",
        "phs_sandbox",
        "GET http://127.0.0.1:8010/loops/api/v1/contacts/find?userId=7",
    ],
)
def test_whatever_the_load_or_its_settings_hold_is_a_leak(
    server: SandboxServer, personal: str
) -> None:
    send(server, FINE)
    send(server, FINE | {"extra": {"deep": ["down", personal]}})

    assert len(leaks(server)) == 1


def test_a_leak_in_the_header_of_an_envelope_is_found(server: SandboxServer) -> None:
    send(server, FINE, ENVELOPE_HEADER | {"trace": {"release": "Ada"}})

    (leak,) = leaks(server)
    assert '"release": "Ada"' in leak


def test_query_strings_are_found_by_their_fields_too(server: SandboxServer) -> None:
    send(server, FINE | {"data": {"http.query": "a=b"}})
    send(server, FINE | {"request": {"query_string": "a=b"}})

    assert len(leaks(server)) == 2
