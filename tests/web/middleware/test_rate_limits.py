"""The rate limit per address and route; a request with an API key is not counted."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from runtime.assembly import Assembly
from runtime.embedded.server import EmbeddedServer
from runtime.web import make_app
from services.redis.rate_limit import RateLimit
from services.redis.tcp import TcpCommands
from settings import Settings
from tests.web.requests import KEY, until
from web.middleware import rate_limits

LIMIT = 3


@pytest.fixture
def strict(assembly: Assembly) -> Settings:
    return assembly.settings.model_copy(update={"rate_limit": LIMIT, "rate_limit_seconds": 60})


@pytest.fixture
def limited(strict: Settings) -> Iterator[TestClient]:
    with TestClient(make_app(strict)) as client:
        yield client


def test_the_headers_count_down(limited: TestClient) -> None:
    answers = [limited.get("/docs") for _ in range(LIMIT)]

    assert [each.status_code for each in answers] == [200] * LIMIT
    assert {each.headers["ratelimit-policy"] for each in answers} == {'"default";q=3;w=60'}
    left = [
        re.fullmatch(r'"default";r=(\d+);t=(\d+)', each.headers["ratelimit"]) for each in answers
    ]
    assert [found and found[1] for found in left] == ["2", "1", "0"]
    assert all(found and 0 < int(found[2]) <= 60 for found in left)


@pytest.mark.parametrize("path", ["/nowhere", "/events", "/events/not-a-uuid"])
def test_errors_have_them_too(limited: TestClient, path: str) -> None:
    answer = limited.get(path)

    assert answer.is_error
    assert {"ratelimit", "ratelimit-policy"} <= answer.headers.keys()


def test_a_request_too_many_is_refused_with_the_time_to_wait(limited: TestClient) -> None:
    for _ in range(LIMIT):
        limited.get("/docs")

    answer = limited.get("/docs")

    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert answer.headers["ratelimit"].startswith('"default";r=0;t=')
    assert answer.headers["ratelimit-policy"] == '"default";q=3;w=60'


def test_the_keys_in_redis_are_those_of_the_contract(
    limited: TestClient, assembly: Assembly
) -> None:
    limited.get("/docs")
    limited.get(f"/events/{uuid4()}")
    limited.get(f"/events/{uuid4()}")
    limited.get("/nowhere/1")
    limited.get("/nowhere/2")

    keys: Any = assembly.redis.keys("*")
    counts = {key.decode(): int(assembly.redis.get(key) or 0) for key in keys}
    assert counts == {
        "ratelimit:testclient:/docs": 1,
        "ratelimit:testclient:/events/{event_id}": 2,
        "ratelimit:testclient:*": 2,
    }
    assert all(0 < assembly.redis.ttl(key) <= 60 for key in counts)


def test_each_address_and_each_route_has_its_own_count(strict: Settings) -> None:
    with (
        TestClient(make_app(strict), client=("10.0.0.1", 1)) as one,
        TestClient(make_app(strict), client=("10.0.0.2", 1)) as other,
    ):
        for _ in range(LIMIT + 1):
            refused = one.get("/docs")
        assert refused.status_code == 429
        assert one.get("/openapi.json").status_code == 200
        assert other.get("/docs").status_code == 200


def test_the_app_itself_does_not_believe_a_forwarded_address(limited: TestClient) -> None:
    for number in range(LIMIT + 1):
        answer = limited.get("/docs", headers={"X-Forwarded-For": f"10.0.0.{number}"})

    assert answer.status_code == 429


def test_wrong_keys_are_counted_so_that_keys_cannot_be_guessed(limited: TestClient) -> None:
    answers = [
        limited.get(f"/events/{uuid4()}", headers={"Authorization": f"Bearer guess-{number}"})
        for number in range(LIMIT + 1)
    ]

    assert [each.status_code for each in answers] == [401] * LIMIT + [429]


def test_with_a_key_there_is_no_limit(limited: TestClient, assembly: Assembly) -> None:
    answers = [limited.get(f"/events/{uuid4()}", headers=KEY) for _ in range(2 * LIMIT)]

    assert {each.status_code for each in answers} == {404}
    assert not any("ratelimit" in each.headers for each in answers)
    assert assembly.redis.keys("ratelimit:*") == []


@pytest.mark.parametrize("path", sorted(rate_limits.UNLIMITED))
def test_the_endpoints_of_operators_are_not_limited(limited: TestClient, path: str) -> None:
    answers = [limited.get(path) for _ in range(2 * LIMIT)]

    assert {each.status_code for each in answers} == {200}
    assert not any("ratelimit" in each.headers for each in answers)


def test_a_new_window_begins_when_the_old_one_ends(limited: TestClient, assembly: Assembly) -> None:
    for _ in range(LIMIT + 1):
        limited.get("/docs")
    assembly.redis.pexpire("ratelimit:testclient:/docs", 1)
    until(lambda: not assembly.redis.exists("ratelimit:testclient:/docs"))

    assert limited.get("/docs").headers["ratelimit"].startswith('"default";r=2;')


def test_refused_requests_do_not_prolong_the_wait(limited: TestClient, assembly: Assembly) -> None:
    for _ in range(LIMIT + 1):
        limited.get("/docs")
    assembly.redis.expire("ratelimit:testclient:/docs", 5)

    assert int(limited.get("/docs").headers["retry-after"]) <= 5


@pytest.mark.parametrize("left", ["500", "not a number"])
def test_a_counter_without_an_expiry_is_reset(
    limited: TestClient, assembly: Assembly, left: str
) -> None:
    assembly.redis.set("ratelimit:testclient:/docs", left)

    assert limited.get("/docs").headers["ratelimit"] == '"default";r=2;t=60'
    assert assembly.redis.ttl("ratelimit:testclient:/docs") == 60


def test_what_is_no_counter_lets_requests_through(limited: TestClient, assembly: Assembly) -> None:
    assembly.redis.set("ratelimit:testclient:/docs", "not a number", ex=60)

    assert limited.get("/docs").status_code == 200


def test_a_count_takes_one_round_trip(assembly: Assembly) -> None:
    limit = RateLimit(TcpCommands(assembly.redis), 5, 60)
    limit.count("a")
    before = assembly.redis.info("stats")["total_commands_processed"]
    limit.count("a")
    after = assembly.redis.info("stats")["total_commands_processed"]

    # EVAL, and what it calls itself: PTTL and INCR; and INFO.
    assert after - before <= 4


def test_without_redis_requests_are_let_through(without_redis: Settings) -> None:
    settings = without_redis.model_copy(update={"rate_limit": 1})
    with TestClient(make_app(settings)) as client:
        answers = [client.get("/openapi.json") for _ in range(3)]

    assert [each.status_code for each in answers] == [200] * 3
    assert not any("ratelimit" in each.headers for each in answers)


def test_the_limit_is_back_when_redis_is(
    strict: Settings, private_redis: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.redis.circuit_breaker.RETRY_AFTER", 0.02)
    settings = strict.model_copy(update={"redis_url": SecretStr(private_redis.url)})
    with TestClient(make_app(settings)) as client:
        assert "ratelimit" in client.get("/docs").headers
        private_redis.stop()
        assert "ratelimit" not in client.get("/docs").headers
        private_redis.start()
        until(lambda: "ratelimit" in client.get("/docs").headers)
