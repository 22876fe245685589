"""Upstash's bad days: nothing hangs, nothing is done twice, every answer has a meaning."""

from collections.abc import Iterator
from typing import Any

import pytest

from errors import ProviderDown
from services.upstash import PATIENCE, UpstashCommands
from tests.doubles import Doubles
from workers.assembly import Assembly


@pytest.fixture
def line(doubles: Doubles, assembly: Assembly) -> Iterator[UpstashCommands]:
    made = UpstashCommands(f"{doubles.url}/upstash", "token")
    yield made
    made.close()


def test_a_refused_token_is_told_without_it(doubles: Doubles) -> None:
    line = UpstashCommands(f"{doubles.url}/upstash", "wrong")

    with pytest.raises(ProviderDown, match="401: WRONGPASS"):
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


def test_it_waits_for_seconds_not_for_ever() -> None:
    assert PATIENCE.read is not None
    assert PATIENCE.read <= 5


def test_nobody_there(doubles: Doubles) -> None:
    line = UpstashCommands("http://127.0.0.1:1", "token")

    with pytest.raises(ProviderDown, match="ConnectError"):
        line.run(("GET", "k"))
    line.close()
