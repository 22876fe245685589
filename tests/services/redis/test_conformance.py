"""Over TCP and over REST every service does the same, at the cost that its docstrings tell."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from errors import ProviderBusy
from events import uuid7
from services.redis import throttle
from services.redis.cache import Cache
from services.redis.commands import CommandFailed, Commands, evaluate
from services.redis.progress import Progress, ProgressBoard
from services.redis.rate_limit import RateLimit
from services.redis.sessions import AccountClosed, Sessions
from services.redis.throttle import Throttle
from tests.services.redis.counting import Counting


def at(version: int, status: str = "running", progress: float = 40) -> Progress:
    return Progress("t-1", progress, "Lernt über Wälder, ja", status, version)


def test_replies_are_the_same(commands: Commands) -> None:
    replies = commands.run(
        ("SET", "k", "wörter", "EX", 60), ("GET", "k"), ("INCR", "n"), ("MGET", "k", "none"),
        ("HSET", "h", "a", 1), ("HMGET", "h", "a", "b"), ("EXISTS", "none"),
    )  # fmt: skip

    assert replies[1:] == ["wörter", 1, ["wörter", None], 1, ["1", None], 0]


def test_a_command_that_cannot_be_done_is_an_error_that_names_it(commands: Commands) -> None:
    commands.run(("SET", "k", "v"))

    with pytest.raises(CommandFailed, match="refused LPUSH: WRONGTYPE"):
        commands.run(("GET", "k"), ("LPUSH", "k", "v"))


def test_an_error_tells_nothing_of_what_a_command_holds(commands: Commands) -> None:
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


def test_of_many_who_miss_one_makes_the_value(commands: Commands) -> None:
    cache, made = Cache(commands), []

    def make() -> int:
        made.append(1)
        time.sleep(0.2)
        return 42

    with ThreadPoolExecutor(8) as threads:
        values = list(threads.map(lambda _: cache.read("k", make), range(8)))

    assert values == [42] * 8
    assert len(made) == 1


def test_a_value_that_was_invalidated_while_it_was_made_is_not_kept(commands: Commands) -> None:
    cache = Cache(commands)

    def make() -> str:
        cache.delete("k")
        return "old"

    assert cache.read("k", make) == "old"
    assert cache.get("k") is None


def test_who_fails_to_make_a_value_lets_others_try_at_once(commands: Commands) -> None:
    cache = Cache(commands)

    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        cache.read("k", fail)
    assert cache.read("k", lambda: 42) == 42


def test_a_session_is_known_by_its_id_and_redis_knows_only_a_hash(commands: Commands) -> None:
    sessions, user = Sessions(commands), uuid7()
    id_ = sessions.create(user, {"ip": "somewhere"})

    found = sessions.read(id_)
    (keys,) = commands.run(("KEYS", "*"))

    assert found is not None
    assert (found.user_id, found.data) == (user, {"ip": "somewhere"})
    assert len(id_) == 43
    assert not any(id_ in key for key in keys)
    assert sessions.read("guess") is None


def test_a_session_ends_when_it_is_idle_and_at_the_latest_when_it_must(commands: Commands) -> None:
    sessions = Sessions(commands, idle=100, longest=250)
    id_ = sessions.create(uuid7())
    (key,) = commands.run(("KEYS", "session:*"))[0]

    commands.run(("EXPIRE", key, 5))
    assert sessions.read(id_)
    assert 95 <= commands.run(("TTL", key))[0] <= 100

    commands.run(("HSET", key, "ends_at", repr(time.time() + 30)))
    assert sessions.read(id_)
    assert 25 <= commands.run(("TTL", key))[0] <= 31

    commands.run(("HSET", key, "ends_at", repr(time.time() - 1)))
    assert sessions.read(id_) is None
    assert commands.run(("EXISTS", key)) == [0]


def test_a_rotated_session_has_a_new_id_only(commands: Commands) -> None:
    sessions, user = Sessions(commands), uuid7()
    old = sessions.create(user, {"n": 1})

    new = sessions.rotate(old, user)

    assert new is not None
    assert sessions.read(old) is None
    found = sessions.read(new)
    assert found is not None
    assert found.data == {"n": 1}
    assert sessions.rotate(old, user) is None
    assert sessions.revoke_all(user) == 1


def test_one_session_or_all_of_a_user_can_be_revoked(commands: Commands) -> None:
    sessions, user, other = Sessions(commands), uuid7(), uuid7()
    first, second, third = (sessions.create(user) for _ in range(3))
    theirs = sessions.create(other)

    sessions.revoke(first, user)
    assert [bool(sessions.read(each)) for each in (first, second)] == [False, True]
    assert sessions.revoke_all(user) == 2
    assert [bool(sessions.read(each)) for each in (second, third, theirs)] == [False, False, True]


def test_no_session_begins_for_an_account_that_is_closed(commands: Commands) -> None:
    sessions, user = Sessions(commands), uuid7()
    before = sessions.create(user)

    assert sessions.close(user) == 1

    assert sessions.read(before) is None
    with pytest.raises(AccountClosed):
        sessions.create(user)
    assert sessions.revoke_all(user) == 0
    assert sessions.read(sessions.create(uuid7())) is not None


def test_requests_are_counted_in_their_window(commands: Commands) -> None:
    limit = RateLimit(commands, 2, 60)

    counts = [limit.count("a") for _ in range(3)]

    assert [found and found.remaining for found in counts] == [1, 0, 0]
    assert counts[2] is not None
    assert counts[2].exceeded


def test_slots_are_evenly_spaced_for_all(commands: Commands) -> None:
    paces = [Throttle(commands, "test", 50) for _ in range(2)]
    began = time.monotonic()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: paces[n % 2].wait(), range(25)))

    assert 0.45 <= time.monotonic() - began <= 1.5


def test_who_is_in_a_hurry_goes_before_all_who_are_not(commands: Commands) -> None:
    pace, stopped = Throttle(commands, "test", 20), threading.Event()

    def flood() -> None:
        while not stopped.is_set():
            pace.wait()

    with ThreadPoolExecutor(6) as threads:
        for _ in range(6):
            threads.submit(flood)
        time.sleep(0.5)
        waits = []
        for _ in range(5):
            began = time.monotonic()
            pace.wait(hurry=True)
            waits.append(time.monotonic() - began)
        stopped.set()

    assert max(waits) < 0.6


def test_who_waits_too_long_for_others_is_told_so(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "LONGEST_WAIT", 0.1)
    pace = Throttle(commands, "test", 0.5)
    pace.wait()

    with pytest.raises(ProviderBusy):
        pace.wait()


OPERATIONS: dict[str, tuple[tuple[int, int], Callable[[Commands], Any]]] = {
    "progress, shown": ((1, 1), lambda line: ProgressBoard(line).show([at(1)])),
    "progress, read": ((1, 1), lambda line: ProgressBoard(line).read("t-1")),
    "limit, counted": ((1, 1), lambda line: RateLimit(line, 9, 60).count("a")),
    "pace, free": ((1, 1), lambda line: Throttle(line, "free", 1000).wait()),
    "cache, get": ((1, 1), lambda line: Cache(line).get("k")),
    "cache, set": ((1, 1), lambda line: Cache(line).set("k", 1)),
    "cache, exists": ((1, 1), lambda line: Cache(line).exists("k")),
    "cache, delete many": ((1, 1), lambda line: Cache(line).delete("a", "b", "c")),
    "cache, missed and made": ((2, 2), lambda line: Cache(line).read("new", lambda: 1)),
    "session, created": ((1, 1), lambda line: Sessions(line).create(uuid7())),
    "session, read": ((1, 1), lambda line: Sessions(line).read("id")),
    "session, rotated": ((1, 1), lambda line: Sessions(line).rotate("id", uuid7())),
    "session, revoked": ((1, 2), lambda line: Sessions(line).revoke("id", uuid7())),
    "sessions, all revoked": ((1, 1), lambda line: Sessions(line).revoke_all(uuid7())),
    "sessions, closed": ((1, 1), lambda line: Sessions(line).close(uuid7())),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_costs_what_it_says(commands: Commands, operation: str) -> None:
    cost, do = OPERATIONS[operation]
    line = Counting(commands)

    do(line)

    assert line.take() == cost
