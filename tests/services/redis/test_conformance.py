"""Over TCP and over REST every service does the same, at the cost that its docstring states."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from errors import ProviderBusy
from events import uuid7
from events.progress import TrainingProgress, TrainingStatus
from services.redis import throttle
from services.redis.cache import Cache
from services.redis.commands import CommandFailed, Commands, evaluate
from services.redis.progress import ProgressBoard
from services.redis.rate_limit import RateLimit
from services.redis.sessions import Sessions
from services.redis.throttle import Throttle
from tests.services.redis.counting import Counting


def at(version: int, status: TrainingStatus = "running", progress: float = 40) -> TrainingProgress:
    return TrainingProgress("t-1", progress, "Lernt über Wälder, ja", status, version)


def test_replies_are_the_same(commands: Commands) -> None:
    replies = commands.run(
        ("SET", "k", "wörter", "EX", 60), ("GET", "k"), ("INCR", "n"), ("MGET", "k", "none"),
        ("HSET", "h", "a", 1), ("HMGET", "h", "a", "b"), ("EXISTS", "none"),
    )  # fmt: skip

    assert replies[1:] == ["wörter", 1, ["wörter", None], 1, ["1", None], 0]


def test_a_single_command_replies_as_it_does_among_others(commands: Commands) -> None:
    asked = (
        ("GET", "none"), ("INCR", "n"), ("MGET", "n", "none"), ("HSET", "h", "a", "ä"),
        ("HMGET", "h", "a", "b"), ("EXISTS", "none"), evaluate("return {1, 'OK', false}", []),
    )  # fmt: skip

    assert [commands.run(each)[0] for each in asked] == [
        None, 1, ["1", None], 1, ["ä", None], 0, [1, "OK", None],
    ]  # fmt: skip
    taken = [commands.run(("SET", "lock", "me", "NX"))[0] for _ in range(2)]
    assert [bool(each) for each in taken] == [True, False]


def test_without_a_command_nothing_is_asked(commands: Commands) -> None:
    assert commands.run() == []


def test_a_command_that_cannot_be_done_is_an_error_that_names_it(commands: Commands) -> None:
    commands.run(("SET", "k", "v"))

    with pytest.raises(CommandFailed, match="refused LPUSH: WRONGTYPE"):
        commands.run(("GET", "k"), ("LPUSH", "k", "v"))


def test_an_error_does_not_quote_the_arguments_of_a_command(commands: Commands) -> None:
    with pytest.raises(CommandFailed, match="refused NOSUCH: ERR unknown command") as raised:
        commands.run(("NOSUCH", "ada@example.com"))

    assert "ada@" not in str(raised.value)


def test_a_script_gets_its_keys_and_arguments(commands: Commands) -> None:
    script = "return {KEYS[1], ARGV[1], tonumber(ARGV[2]) + 1, false}"

    assert commands.run(evaluate(script, ["k"], "a b", 2)) == [["k", "a b", 3, None]]


def test_progress_never_goes_backwards(commands: Commands) -> None:
    board = ProgressBoard(commands)
    board.show([at(2000), at(1000)])
    assert board.read("t-1") == at(2000)

    board.show([at(1500, "completed", 100), at(3000)])
    shown = board.read("t-1")
    assert shown is not None
    assert shown.status == "completed"
    assert board.read("unknown") is None


def test_a_cached_value_is_json_and_has_an_end(commands: Commands) -> None:
    cache = Cache(commands)
    cache.set("dataset:d-1", {"rows": [1, 2], "name": "Ümläute"}, ttl=100)

    assert cache.get("dataset:d-1") == {"rows": [1, 2], "name": "Ümläute"}
    assert cache.exists("dataset:d-1")
    ((left,),) = (commands.run(("TTL", "dataset:d-1")),)
    assert 90 <= left <= 110
    cache.delete("dataset:d-1")
    assert cache.get("dataset:d-1") is None


def test_values_set_together_end_at_different_times(commands: Commands) -> None:
    cache = Cache(commands)
    for number in range(20):
        cache.set(f"k{number}", 1)

    ends = commands.run(*(("TTL", f"k{number}") for number in range(20)))

    assert len(set(ends)) > 5
    assert all(3240 <= end <= 3960 for end in ends)


def test_of_many_callers_that_miss_one_computes_the_value(commands: Commands) -> None:
    cache, computed = Cache(commands), []

    def compute() -> int:
        computed.append(1)
        time.sleep(0.2)
        return 42

    with ThreadPoolExecutor(8) as threads:
        values = list(threads.map(lambda _: cache.read("k", compute), range(8)))

    assert values == [42] * 8
    assert len(computed) == 1


def test_a_value_that_was_invalidated_while_it_was_computed_is_not_stored(
    commands: Commands,
) -> None:
    cache = Cache(commands)

    def compute() -> str:
        cache.delete("k")
        return "old"

    assert cache.read("k", compute) == "old"
    assert cache.get("k") is None


def test_a_caller_that_fails_to_compute_a_value_lets_others_try_at_once(commands: Commands) -> None:
    cache = Cache(commands)

    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        cache.read("k", fail)
    assert cache.read("k", lambda: 42) == 42


def test_requests_are_counted_in_their_window(commands: Commands) -> None:
    limit = RateLimit(commands, 2, 60)

    counts = [limit.count("a") for _ in range(3)]

    assert [found and found.remaining for found in counts] == [1, 0, 0]
    assert counts[2] is not None
    assert counts[2].exceeded


def test_slots_are_evenly_spaced_for_all(commands: Commands) -> None:
    throttles = [Throttle(commands, "test", 50) for _ in range(2)]
    began = time.monotonic()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: throttles[n % 2].wait(), range(25)))

    assert 0.45 <= time.monotonic() - began <= 1.5


def test_a_call_with_priority_goes_before_all_others(commands: Commands) -> None:
    slow, stopped = Throttle(commands, "test", 20), threading.Event()

    def flood() -> None:
        while not stopped.is_set():
            slow.wait()

    with ThreadPoolExecutor(6) as threads:
        for _ in range(6):
            threads.submit(flood)
        time.sleep(0.5)
        waits = []
        for _ in range(5):
            began = time.monotonic()
            slow.wait(priority=True)
            waits.append(time.monotonic() - began)
        stopped.set()

    assert max(waits) < 0.6


def test_a_call_that_would_wait_too_long_is_refused(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "LONGEST_WAIT", 0.1)
    slow = Throttle(commands, "test", 0.5)
    slow.wait()

    with pytest.raises(ProviderBusy):
        slow.wait()


OPERATIONS: dict[str, tuple[tuple[int, int], Callable[[Commands], Any]]] = {
    "progress, shown": ((1, 1), lambda commands: ProgressBoard(commands).show([at(1)])),
    "progress, read": ((1, 1), lambda commands: ProgressBoard(commands).read("t-1")),
    "limit, counted": ((1, 1), lambda commands: RateLimit(commands, 9, 60).count("a")),
    "throttle, free": ((1, 1), lambda commands: Throttle(commands, "free", 1000).wait()),
    "cache, get": ((1, 1), lambda commands: Cache(commands).get("k")),
    "cache, set": ((1, 1), lambda commands: Cache(commands).set("k", 1)),
    "cache, exists": ((1, 1), lambda commands: Cache(commands).exists("k")),
    "cache, delete many": ((1, 1), lambda commands: Cache(commands).delete("a", "b", "c")),
    "cache, missed and computed": ((2, 2), lambda commands: Cache(commands).read("new", lambda: 1)),
    "session, created": ((1, 1), lambda commands: Sessions(commands).create(uuid7())),
    "session, read": ((1, 1), lambda commands: Sessions(commands).read("id")),
    "session, rotated": ((1, 1), lambda commands: Sessions(commands).rotate("id", uuid7())),
    "session, revoked": ((1, 2), lambda commands: Sessions(commands).revoke("id", uuid7())),
    "sessions, all revoked": ((1, 1), lambda commands: Sessions(commands).revoke_all(uuid7())),
    "sessions, closed": ((1, 1), lambda commands: Sessions(commands).close(uuid7())),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_costs_what_it_says(commands: Commands, operation: str) -> None:
    cost, run = OPERATIONS[operation]
    counting = Counting(commands)

    run(counting)

    assert (counting.round_trips, counting.count) == cost
