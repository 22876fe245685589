"""What a Redis refuses of what we do there is named, and nothing is left behind."""

import re

import pytest

from runtime.assembly import Assembly
from services.redis.connections import connect_quickly
from services.redis.self_test import self_test
from tests.services.redis.limited_user import CHANNELS, COMMANDS, KEYS, PASSWORD, limited_user
from tests.services.redis.stand_ins import hanging_redis, scripted_redis


def test_a_redis_that_does_all_is_well_and_nothing_is_left(assembly: Assembly) -> None:
    client = connect_quickly(assembly.settings.redis)
    client.ping()
    clients = len(assembly.redis.client_list())
    before = assembly.redis.info("stats")["total_commands_processed"]

    assert self_test(client) == []

    # Five of ours, those of the scripts, and the INFO before.
    assert assembly.redis.info("stats")["total_commands_processed"] - before <= 5 + 7 + 1
    assert assembly.redis.keys() == []
    assert len(assembly.redis.client_list()) == clients
    assert client.ping() is True
    client.close()


def test_it_can_be_repeated_on_the_same_connection(assembly: Assembly) -> None:
    with connect_quickly(assembly.settings.redis) as client:
        assert [self_test(client) for _ in range(3)] == [[], [], []]


def found_for(assembly: Assembly, *rules: str, services: bool = True) -> list[str]:
    """What the self-test says to a user with these rights; the connection must stay usable."""
    with limited_user(assembly, *rules) as url, connect_quickly(url) as client:
        found = self_test(client, services=services)
        assert self_test(client, services=services) == found
    assert assembly.redis.keys() == []
    return found


def test_the_rights_of_the_documents_are_enough(assembly: Assembly) -> None:
    assert found_for(assembly, *KEYS, *CHANNELS, *COMMANDS) == []


def test_a_user_without_channels_is_found_and_named(assembly: Assembly) -> None:
    found = found_for(assembly, *KEYS, *COMMANDS)

    assert [each.split(":-", 1)[0] for each in found] == [
        "Redis refuses PUBLISH insights:bell", "Redis refuses PUBLISH training",
        "Redis refuses SUBSCRIBE insights:bell", "Redis refuses SUBSCRIBE training",
    ]  # fmt: skip
    # Redis 7 and Valkey 9 word it differently.
    refusal = "(permissions to access|can't publish to) .*channel"
    assert all(re.search(refusal, each) for each in found)
    assert found_for(assembly, *KEYS, *COMMANDS, services=False) == [found[0], found[2]]


@pytest.mark.parametrize("command", ["rpush", "lpop", "llen", "publish", "subscribe", "eval"])
def test_a_command_without_the_right_to_it_is_named(command: str, assembly: Assembly) -> None:
    found = found_for(assembly, *KEYS, *CHANNELS, *COMMANDS, f"-{command}")

    assert found
    assert all(each.startswith(f"Redis refuses {command.upper()}") for each in found)


def test_keys_without_the_right_to_them_are_named(assembly: Assembly) -> None:
    rules = ("~insights:*", "~session:*", "~usage:*", *CHANNELS, *COMMANDS)

    (found,) = found_for(assembly, *rules)

    assert found.startswith("Redis refuses EVAL on training:*, sessions:*, left:*, turn:*")
    assert "insights" not in found
    assert found_for(assembly, *rules, services=False) == []


def test_a_wrong_password_is_named_and_not_shown(assembly: Assembly) -> None:
    (found,) = found_for(assembly, ">another", f"<{PASSWORD}")

    assert "Redis cannot work: invalid username-password pair" in found
    assert PASSWORD not in found


def test_a_full_redis_is_found(assembly: Assembly) -> None:
    assembly.redis.config_set("maxmemory", 1)
    try:
        with connect_quickly(assembly.settings.redis) as client:
            found = self_test(client)
    finally:
        assembly.redis.config_set("maxmemory", 0)

    assert found
    assert "OOM" in found[0]


def test_a_replica_is_found(assembly: Assembly) -> None:
    assembly.redis.replicaof("127.0.0.1", "1")
    try:
        with connect_quickly(assembly.settings.redis) as client:
            (found,) = self_test(client)
    finally:
        assembly.redis.replicaof("NO", "ONE")

    assert "READONLY" in found


def test_a_redis_that_answers_nothing_is_away() -> None:
    with hanging_redis() as url, connect_quickly(url) as client:
        assert self_test(client) == ["Redis does not answer."]


def test_a_redis_that_loads_is_away() -> None:
    with (
        scripted_redis(lambda _: b"-LOADING Redis is loading\r\n") as server,
        connect_quickly(server.url) as client,
    ):
        assert self_test(client) == ["Redis cannot work: Redis is loading"]
