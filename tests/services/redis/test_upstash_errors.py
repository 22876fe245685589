"""Upstash in trouble: nothing hangs, nothing is done twice, every answer has a meaning."""

import time
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from errors import KeyRefused, ProviderDown
from runtime.assembly import Assembly
from runtime.web import make_app
from services.redis.commands import UNABLE, CommandFailed
from services.redis.connections import REQUEST_TIMEOUT
from services.redis.upstash import ANSWER_TIMEOUT, RestEndpoint, UpstashCommands
from tests.doubles import Doubles

SECRET = "ada@example.com"
NOWHERE = RestEndpoint("http://127.0.0.1:1", "token")


@pytest.mark.parametrize("times", [1, 2])
def test_a_refused_token_is_reported_without_it(times: int, endpoint: RestEndpoint) -> None:
    upstash = UpstashCommands(replace(endpoint, token="wrong"))

    with pytest.raises(KeyRefused, match="401: WRONGPASS") as raised:
        upstash.run(*[("GET", "k")] * times)

    assert "wrong" not in str(raised.value)
    assert "wrong" not in repr(RestEndpoint("https://x", "wrong"))
    upstash.close()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 503}, {"kind": "drop"}, {"kind": "lose"}],
    ids=["503", "drop", "lost answer"],
)
def test_it_is_down(
    fault: dict[str, Any], times: int, upstash: UpstashCommands, doubles: Doubles
) -> None:
    doubles.set_fault("upstash", **fault)

    with pytest.raises(ProviderDown):
        upstash.run(*[("INCR", "n")] * times)


@pytest.mark.parametrize("times", [1, 2])
def test_a_command_whose_answer_got_lost_is_not_sent_again(
    times: int, upstash: UpstashCommands, doubles: Doubles
) -> None:
    doubles.set_fault("upstash", "lose", times=1)
    with pytest.raises(ProviderDown):
        upstash.run(*[("INCR", "n")] * times)

    assert upstash.run(("GET", "n")) == [str(times)]


@pytest.mark.parametrize("word", UNABLE)
@pytest.mark.parametrize("status", [400, 429, 500])
def test_a_request_refused_by_a_redis_that_cannot_work_is_down(
    status: int, word: str, upstash: UpstashCommands, doubles: Doubles
) -> None:
    doubles.set_fault("upstash", "status", status=status, message=f"{word} and says why")

    with pytest.raises(ProviderDown, match=word):
        upstash.run(("SET", "k", SECRET))


@pytest.mark.parametrize("word", UNABLE)
def test_a_command_refused_by_a_redis_that_cannot_work_is_down(
    word: str, upstash: UpstashCommands
) -> None:
    answer_with(upstash, replies({"result": "OK"}, {"error": f"{word} and says why"}))

    with pytest.raises(ProviderDown, match=word):
        upstash.run(("GET", "k"), ("SET", "k", SECRET))


def test_a_request_that_is_wrong_is_not_the_fault_of_upstash(
    upstash: UpstashCommands, doubles: Doubles
) -> None:
    too_large = f"ERR max request size exceeded by '{SECRET}'"
    doubles.set_fault("upstash", "status", status=400, message=too_large)

    with pytest.raises(CommandFailed) as raised:
        upstash.run(("SET", "k", SECRET))

    assert str(raised.value) == "Upstash refused SET: ERR max request size exceeded by "


def test_a_command_that_is_wrong_is_named_without_its_arguments(upstash: UpstashCommands) -> None:
    unknown = f"ERR unknown command 'SAT', with '{SECRET}'"
    answer_with(upstash, replies({"result": "OK"}, {"error": unknown}))

    with pytest.raises(CommandFailed) as raised:
        upstash.run(("GET", "k"), ("SAT", SECRET))

    assert str(raised.value) == "Upstash refused SAT: ERR unknown command "


@pytest.mark.parametrize("error", ["WRONGTYPE of 'k'", "LOADING of 'k'"])
@pytest.mark.parametrize("times", [1, 2])
def test_an_error_carries_nothing_that_could_quote_the_command(
    times: int, error: str, upstash: UpstashCommands, doubles: Doubles
) -> None:
    doubles.set_fault("upstash", "status", status=400, message=error)

    with pytest.raises((CommandFailed, ProviderDown)) as raised:
        upstash.run(*[("SET", "k", SECRET)] * times)

    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("body", ["null", "[]", "{}", '"text"', "[1]", "no JSON", ""])
def test_an_answer_that_is_no_reply_is_down(
    body: str, times: int, upstash: UpstashCommands
) -> None:
    answer_with(upstash, httpx.Response(200, text=body))

    with pytest.raises(ProviderDown):
        upstash.run(*[("GET", "k")] * times)


def test_an_error_that_comes_as_a_success_is_an_error(upstash: UpstashCommands) -> None:
    answer_with(upstash, httpx.Response(200, json={"error": f"ERR no such thing as '{SECRET}'"}))

    with pytest.raises(CommandFailed) as raised:
        upstash.run(("GET", SECRET))

    assert str(raised.value) == "Upstash refused GET: ERR no such thing as "


def answer_with(upstash: UpstashCommands, answer: httpx.Response) -> None:
    """Let Upstash answer so, in place of the double."""
    upstash.http._transport = httpx.MockTransport(lambda _: answer)


def replies(*each: dict[str, str]) -> httpx.Response:
    return httpx.Response(200, json=each)


@pytest.mark.parametrize("timeout", [ANSWER_TIMEOUT, REQUEST_TIMEOUT])
def test_it_waits_for_seconds_not_for_ever(timeout: float) -> None:
    upstash = UpstashCommands(NOWHERE, timeout)

    waits = upstash.http.timeout

    assert upstash.sdk._http._client is upstash.http
    assert waits.read is not None
    assert waits.connect is not None
    assert max(waits.read, 2 * waits.connect) <= timeout <= 5
    upstash.close()


def test_the_api_lets_requests_through_while_upstash_hangs(
    assembly: Assembly, doubles: Doubles
) -> None:
    settings = doubles.settings(assembly.settings, upstash=True)
    with TestClient(make_app(settings)) as client:
        assert "ratelimit" in client.get("/openapi.json").headers
        doubles.set_fault("upstash", "hang", seconds=4)
        began = time.monotonic()

        answer = client.get("/openapi.json")

    assert answer.status_code == 200
    assert "ratelimit" not in answer.headers
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("times", [1, 2])
def test_an_address_where_nobody_listens_is_down(times: int) -> None:
    upstash = UpstashCommands(NOWHERE)

    with pytest.raises(ProviderDown, match="ConnectError"):
        upstash.run(*[("GET", "k")] * times)
    upstash.close()
