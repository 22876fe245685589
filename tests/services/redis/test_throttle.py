"""Which slots the throttle books."""

import time

import fakeredis
import pytest

from services.redis.commands import evaluate
from services.redis.tcp import TcpCommands
from services.redis.throttle import Throttle

SECOND = 1_000_000  # in microseconds


def book(fake_commands: TcpCommands, ahead: int) -> tuple[int, float]:
    """Whether a slot was booked, and the seconds to wait; slots are an hour apart."""
    throttle = Throttle(fake_commands, "x", 1 / 3600)
    ((booked, wait),) = fake_commands.run(
        evaluate(throttle.script, ["pace:x"], throttle.distance, ahead, throttle.farthest)
    )
    return booked, round(wait / SECOND, 1)


def test_slots_are_booked_at_even_distances(fake_commands: TcpCommands) -> None:
    assert [book(fake_commands, -1) for _ in range(3)] == [(1, 0), (1, 3600), (1, 7200)]


def test_a_slot_too_far_ahead_is_not_booked(fake_commands: TcpCommands) -> None:
    book(fake_commands, -1)

    assert [book(fake_commands, 60 * SECOND) for _ in range(2)] == [(0, 3540)] * 2
    assert book(fake_commands, -1) == (1, 3600)


def test_the_next_slot_is_kept_to_the_microsecond_until_it_has_passed(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis
) -> None:
    for _ in range(2):
        book(fake_commands, -1)

    in_two_hours = (time.time() + 7200) * SECOND
    next_slot = str(fake_redis.get("pace:x"))
    assert next_slot.isdigit()
    assert abs(int(next_slot) - in_two_hours) < 5 * SECOND
    assert 3600 < fake_redis.ttl("pace:x") <= 3660


def test_a_slot_in_the_past_is_not_made_up_for(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis
) -> None:
    fake_redis.set("pace:x", 1)

    assert [book(fake_commands, -1) for _ in range(2)] == [(1, 0), (1, 3600)]


def test_it_waits_for_the_slot_that_it_booked(
    fake_commands: TcpCommands, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("services.redis.throttle.time.sleep", waits.append)
    slow = Throttle(fake_commands, "x", 1 / 60)

    slow.wait()
    slow.wait(priority=True)

    assert waits == [0, pytest.approx(60, abs=1)]


def test_a_slot_that_was_booked_before_the_clock_went_back_is_not_waited_for(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("services.redis.throttle.time.sleep", waits.append)
    throttle = Throttle(fake_commands, "x", 10)
    tomorrow = round((time.time() + 86400) * SECOND)

    for priority in (True, False):
        fake_redis.set("pace:x", tomorrow)
        throttle.wait(priority=priority)
        throttle.wait(priority=priority)

    assert waits == [0, pytest.approx(0.1, abs=0.05)] * 2


@pytest.mark.parametrize(("rate", "longest"), [(10, 60), (0.5, 200)])
def test_the_farthest_slot_is_a_minute_away_or_a_hundred_slots(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis, rate: float, longest: float
) -> None:
    throttle = Throttle(fake_commands, "x", rate)

    def wait_for(ahead: float) -> float:
        fake_redis.set("pace:x", round((time.time() + ahead) * SECOND))
        command = evaluate(
            throttle.script, [throttle.key], throttle.distance, -1, throttle.farthest
        )
        return float(fake_commands.run(command)[0][1]) / SECOND

    assert wait_for(longest - 5) == pytest.approx(longest - 5, abs=2)
    assert wait_for(longest + 5) == 0
