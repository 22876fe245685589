"""Upstash's bad days: nothing hangs, nothing is done twice, every answer has a meaning."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from errors import KeyRefused, ProviderDown
from runtime.assembly import Assembly
from services.redis.commands import UNABLE, CommandFailed
from services.redis.quick_connections import PATIENCE as QUICK
from services.redis.upstash import PATIENCE, UpstashCommands
from tests.doubles import Doubles
from web.app import create_app

SECRET = "ada@example.com"


@pytest.fixture
def line(doubles: Doubles, assembly: Assembly) -> Iterator[UpstashCommands]:
    made = UpstashCommands(f"{doubles.url}/upstash", "token")
    yield made
    made.close()


def test_a_refused_token_is_told_without_it(doubles: Doubles) -> None:
    line = UpstashCommands(f"{doubles.url}/upstash", "wrong")

    with pytest.raises(KeyRefused, match="401: WRONGPASS"):
        line.run(("GET", "k"))
    line.close()


@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 503}, {"kind": "drop"}, {"kind": "lose"}],
    ids=["503", "drop", "lost answer"],
)
def test_it_is_down(fault: dict[str, Any], line: UpstashCommands, doubles: Doubles) -> None:
    doubles.break_down("upstash", **fault)

    with pytest.raises(ProviderDown):
        line.run(("INCR", "n"))


def test_a_command_whose_answer_got_lost_is_not_sent_again(
    line: UpstashCommands, doubles: Doubles
) -> None:
    doubles.break_down("upstash", "lose", times=1)
    with pytest.raises(ProviderDown):
        line.run(("INCR", "n"))

    assert line.run(("GET", "n")) == ["1"]


@pytest.mark.parametrize("word", UNABLE)
@pytest.mark.parametrize("status", [400, 429, 500])
def test_a_request_refused_by_a_redis_that_cannot_work_is_down(
    status: int, word: str, line: UpstashCommands, doubles: Doubles
) -> None:
    doubles.break_down("upstash", "status", status=status, message=f"{word} and says why")

    with pytest.raises(ProviderDown, match=word):
        line.run(("SET", "k", SECRET))


@pytest.mark.parametrize("word", UNABLE)
def test_a_command_refused_by_a_redis_that_cannot_work_is_down(
    word: str, line: UpstashCommands
) -> None:
    answer_with(line, {"result": "OK"}, {"error": f"{word} and says why"})

    with pytest.raises(ProviderDown, match=word):
        line.run(("GET", "k"), ("SET", "k", SECRET))


def test_a_request_that_is_wrong_is_not_the_fault_of_upstash(
    line: UpstashCommands, doubles: Doubles
) -> None:
    too_large = f"ERR max request size exceeded by '{SECRET}'"
    doubles.break_down("upstash", "status", status=400, message=too_large)

    with pytest.raises(CommandFailed) as raised:
        line.run(("SET", "k", SECRET))

    assert str(raised.value) == "Upstash refused SET: ERR max request size exceeded by "


def test_a_command_that_is_wrong_is_named_without_what_it_holds(line: UpstashCommands) -> None:
    answer_with(line, {"result": "OK"}, {"error": f"ERR unknown command 'SAT', with '{SECRET}'"})

    with pytest.raises(CommandFailed) as raised:
        line.run(("GET", "k"), ("SAT", SECRET))

    assert str(raised.value) == "Upstash refused SAT: ERR unknown command "


def answer_with(line: UpstashCommands, *replies: dict[str, str]) -> None:
    """Let Upstash answer a pipeline, in place of the double."""
    line.http.close()
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json=replies))
    line.http = httpx.Client(transport=answer, base_url="http://upstash")


@pytest.mark.parametrize("patience", [PATIENCE, QUICK])
def test_it_waits_for_seconds_not_for_ever(patience: float) -> None:
    line = UpstashCommands("http://127.0.0.1:1", "token", patience)

    waits = line.http.timeout

    assert waits.read is not None
    assert waits.connect is not None
    assert max(waits.read, 2 * waits.connect) <= patience <= 5
    line.close()


def test_the_door_lets_people_through_while_upstash_hangs(
    assembly: Assembly, doubles: Doubles
) -> None:
    settings = doubles.settings(assembly.settings, upstash=True)
    with TestClient(create_app(settings)) as client:
        assert "ratelimit" in client.get("/openapi.json").headers
        doubles.break_down("upstash", "hang", seconds=4)
        began = time.monotonic()

        answer = client.get("/openapi.json")

    assert answer.status_code == 200
    assert "ratelimit" not in answer.headers
    assert time.monotonic() - began < 2


def test_nobody_there(doubles: Doubles) -> None:
    line = UpstashCommands("http://127.0.0.1:1", "token")

    with pytest.raises(ProviderDown, match="ConnectError"):
        line.run(("GET", "k"))
    line.close()
