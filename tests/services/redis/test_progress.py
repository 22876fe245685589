"""What the progress board leaves in Redis, and which of two states stands."""

import itertools
import json
from typing import Any, get_args

import fakeredis
import pytest

from events.progress import FINAL_STATUSES, TrainingProgress, TrainingStatus
from services.redis.progress import TTL, ProgressBoard
from services.redis.tcp import TcpCommands


@pytest.fixture
def board(fake_commands: TcpCommands) -> ProgressBoard:
    return ProgressBoard(fake_commands)


def test_a_state_is_stored_with_an_end_and_published(
    board: ProgressBoard, fake_redis: fakeredis.FakeRedis
) -> None:
    with fake_redis.pubsub(ignore_subscribe_messages=True) as subscription:  # type: ignore[no-untyped-call]
        subscription.subscribe("training:t")
        subscription.get_message()
        state = TrainingProgress("t", 12.5, "Lernt", "running", 1_763_803_800_123_456)

        board.show([state])

        message = subscription.get_message()
    assert message is not None
    assert json.loads(message["data"]) == state.fields
    assert fake_redis.hgetall("training:t") == {
        "progress": "12.5",
        "message": "Lernt",
        "status": "running",
        "updated_at": "1763803800123",
        "version": "1763803800123456",
    }
    assert TTL - 5 <= fake_redis.ttl("training:t") <= TTL
    assert board.read("t") == state


def test_the_script_ranks_states_as_the_class_does(
    fake_commands: TcpCommands, fake_redis: fakeredis.FakeRedis
) -> None:
    board = ProgressBoard(fake_commands)
    states = [
        TrainingProgress("t", progress, message, status, at)
        for status in get_args(TrainingStatus)
        for progress, message, at in [(0, "b", 1), (0, "a", 1), (50, "a", 1), (0, "a", 2)]
    ]

    for old, new in itertools.product(states, repeat=2):
        fake_redis.delete("training:t")
        shown = fake_commands.run(board.command_for(old), board.command_for(new))
        assert shown == [1, int(new.rank > old.rank)], (old, new)


@pytest.mark.parametrize("final", FINAL_STATUSES)
def test_nothing_that_is_not_final_replaces_a_final_state(
    final: TrainingStatus, board: ProgressBoard
) -> None:
    end = TrainingProgress("t", 100, "", final, 1)

    board.show([end, TrainingProgress("t", 100, "", "running", 2)])

    assert board.read("t") == end


def test_a_hash_that_another_writer_left_is_replaced(
    board: ProgressBoard, fake_redis: fakeredis.FakeRedis
) -> None:
    fake_redis.hset("training:t", mapping={"progress": "7"})
    assert board.read("t") is None

    state = TrainingProgress("t", 1, "", "queued", 1)
    board.show([state])

    assert board.read("t") == state


@pytest.mark.parametrize(
    "wrong",
    [{"progress": "much"}, {"progress": "nan"}, {"version": "x"}, {"status": "lost"}],
    ids=str,
)
def test_a_hash_with_a_wrong_field_is_no_state(
    wrong: dict[Any, Any], board: ProgressBoard, fake_redis: fakeredis.FakeRedis
) -> None:
    right: dict[Any, Any] = {"progress": "1", "message": "", "status": "queued", "version": "1"}
    fake_redis.hset("training:t", mapping=right)
    assert board.read("t") is not None

    fake_redis.hset("training:t", mapping=wrong)

    assert board.read("t") is None
