"""Flags are evaluated in each process, by definitions that one of them fetches for all."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from events import uuid7
from runtime.assembly import Assembly
from services.flags import Flags
from services.redis.tcp import TcpCommands
from tests.doubles import Doubles


def flag(key: str, share: int) -> dict[str, Any]:
    groups = [{"properties": [], "rollout_percentage": share}]
    return {"id": 1, "key": key, "active": True, "filters": {"groups": groups}}


@pytest.fixture
def fleet(assembly: Assembly, doubles: Doubles) -> Iterator[list[Flags]]:
    """The flags of three processes."""
    commands = TcpCommands(assembly.redis)
    made = [Flags(f"{doubles.url}/posthog", "phc", "phs_secret", commands, 300) for _ in range(3)]
    yield made
    for each in made:
        each.close()


def test_one_process_fetches_for_all(fleet: list[Flags], doubles: Doubles) -> None:
    doubles.posthog.flags = [flag("on", 100), flag("off", 0)]
    user = uuid7()
    assert doubles.posthog.evaluate_flags(str(user)) == {"on": True, "off": False}

    assert [each.is_on("on", user) for each in fleet] == [True] * 3
    assert [each.is_on("off", user) for each in fleet] == [False] * 3
    assert doubles.posthog.definitions_asked == 1


def test_one_fetches_for_all_although_all_begin_at_once(
    fleet: list[Flags], doubles: Doubles
) -> None:
    doubles.posthog.flags = [flag("on", 100)]
    doubles.set_fault("posthog", "latency", seconds=0.5)

    with ThreadPoolExecutor(3) as processes:
        decided = list(processes.map(lambda each: each.is_on("on", uuid7()), fleet))

    assert decided == [True] * 3
    assert doubles.posthog.definitions_asked == 1


def test_a_share_of_users_is_the_share_that_posthog_chooses(
    fleet: list[Flags], doubles: Doubles
) -> None:
    doubles.posthog.flags = [flag("half", 50)]
    users = [uuid7() for _ in range(200)]

    chosen = [user for user in users if fleet[0].is_on("half", user)]

    assert chosen == [user for user in users if doubles.posthog.evaluate_flags(str(user))["half"]]
    assert 60 <= len(chosen) <= 140


def test_an_unknown_flag_is_off(fleet: list[Flags]) -> None:
    assert not fleet[0].is_on("unknown", uuid7())


def test_definitions_are_given_for_a_secret_key_only(assembly: Assembly, doubles: Doubles) -> None:
    """The public key of the project is not enough, as at PostHog."""
    doubles.posthog.flags = [flag("on", 100)]
    public = Flags(f"{doubles.url}/posthog", "phc", "phc_public", TcpCommands(assembly.redis), 300)

    assert not public.is_on("on", uuid7())
    public.close()
    assert doubles.posthog.definitions_asked == 0


def test_all_are_off_while_posthog_is_down(fleet: list[Flags], doubles: Doubles) -> None:
    doubles.set_fault("posthog", "status", status=500)

    assert not fleet[0].is_on("on", uuid7())


def test_evaluations_are_not_sent(fleet: list[Flags], doubles: Doubles) -> None:
    doubles.posthog.flags = [flag("on", 100)]
    fleet[0].is_on("on", uuid7())
    fleet[0].client.flush()

    assert doubles.posthog.received == []
