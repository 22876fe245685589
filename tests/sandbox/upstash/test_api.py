"""The double of Upstash answers as Upstash does, and refuses what Upstash refuses over REST."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from runtime.assembly import Assembly
from tests.doubles import Doubles

REFUSED = [
    ["BLPOP", "k", 0], ["brpop", "k", 0], ["BRPOPLPUSH", "k", "l", 0],
    ["BLMOVE", "k", "l", "LEFT", "LEFT", 0], ["BLMPOP", 0, 1, "k", "LEFT"],
    ["BZPOPMIN", "k", 0], ["BZPOPMAX", "k", 0], ["BZMPOP", 0, 1, "k", "MIN"],
    ["XREAD", "BLOCK", 0, "STREAMS", "s", "$"],
    ["XREADGROUP", "GROUP", "g", "c", "block", 0, "STREAMS", "s", ">"],
    ["WATCH", "k"], ["UNWATCH"], ["DISCARD"], ["MULTI"], ["EXEC"], ["SELECT", 1], ["HELLO", 3],
    ["SUBSCRIBE", "c"], ["PSUBSCRIBE", "c*"], ["SSUBSCRIBE", "c"], ["MONITOR"],
]  # fmt: skip
REFUSAL = "is not allowed in REST"


@pytest.fixture
def http(doubles: Doubles, assembly: Assembly) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer token"}
    with httpx.Client(base_url=f"{doubles.url}/upstash", headers=headers, timeout=5) as client:
        yield client


@pytest.mark.parametrize("command", REFUSED, ids=lambda command: command[0])
def test_a_command_that_blocks_or_needs_a_connection_is_refused(
    command: list[Any], http: httpx.Client
) -> None:
    alone = http.post("/", json=command)
    in_a_path = http.get("/" + "/".join(map(str, command)))
    among_others = http.post("/pipeline", json=[["SET", "k", "v"], command, ["GET", "k"]])

    error = alone.json()["error"]
    assert error.startswith(f'ERR Command "{command[0].upper()}" {REFUSAL}')
    assert alone.status_code == 400
    assert (in_a_path.status_code, in_a_path.json()) == (400, alone.json())
    assert among_others.status_code == 200
    assert among_others.json() == [{"result": "OK"}, {"error": error}, {"result": "v"}]


def test_a_transaction_with_a_refused_command_does_nothing(http: httpx.Client) -> None:
    answer = http.post("/multi-exec", json=[["SET", "k", "v"], ["BLPOP", "k", 0]])

    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert http.post("/", json=["EXISTS", "k"]).json() == {"result": 0}


def test_streams_are_read_without_blocking_whatever_they_are_called(http: httpx.Client) -> None:
    http.post("/", json=["XADD", "block", "1-1", "a", "b"])
    http.post("/", json=["XGROUP", "CREATE", "block", "block", "0"])

    read = http.post("/", json=["XREAD", "COUNT", 9, "STREAMS", "block", "0"])
    reading = ["XREADGROUP", "GROUP", "block", "block", "STREAMS", "block", ">"]

    assert read.json()["result"] == [["block", [["1-1", ["a", "b"]]]]]
    assert http.post("/", json=reading).json() == read.json()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["EVALSHA", "0" * 40, 0], "NOSCRIPT "),
        (["INCR", "text"], "ERR value is not an integer"),
        (["LPUSH", "text", "x"], "WRONGTYPE "),
        (["NONSENSE"], "ERR unknown command"),
    ],
)
def test_an_error_begins_with_its_code(command: list[Any], code: str, http: httpx.Client) -> None:
    http.post("/", json=["SET", "text", "x"])

    alone = http.post("/", json=command)
    (reply,) = http.post("/pipeline", json=[command]).json()

    assert alone.status_code == 400
    assert alone.json()["error"].startswith(code)
    assert reply == alone.json()


def test_an_unreachable_redis_is_a_server_error(
    http: httpx.Client, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_command: object) -> None:
        raise RedisConnectionError("connection refused")

    monkeypatch.setattr(doubles.server.providers.upstash, "run", fail)

    answer = http.post("/pipeline", json=[["GET", "k"]])

    assert (answer.status_code, answer.json()) == (503, {"error": "connection refused"})


def test_a_token_in_the_query_is_no_part_of_the_command(http: httpx.Client) -> None:
    answer = http.get("/set/k/v?_token=token&EX=100")

    assert answer.json() == {"result": "OK"}
    assert http.get("/get/k").json() == {"result": "v"}
