"""`GET /trainings/{id}/progress/stream`: the state, then every update, then the end."""

from typing import Any

import httpx
import pytest

from events.progress import TrainingProgress
from services.redis.progress import ProgressBoard
from tests.web.requests import KEY, messages
from tests.web.routes.trainings.streams import (
    PATH,
    ended,
    following,
    redis_of,
    running,
)
from web.routes.trainings import progress_stream
from web.routes.trainings.progress import current_progress
from web.serve import Server


def test_first_the_state_then_the_updates_then_the_end(
    server: Server, board: ProgressBoard
) -> None:
    board.show([running(1000)])

    with following(server) as received:
        first = next(received)
        board.show([running(2000, 60)])
        second = next(received)
        board.show([ended(3000)])
        last, end = list(received)

    state = {"training_id": "t-1", "message": "Learning", "status": "running"}
    assert first == {
        "id": "1000",
        "event": "progress",
        "data": state | {"progress": 40, "updated_at": 1, "version": 1000},
    }
    assert second == {
        "id": "2000",
        "event": "progress",
        "data": state | {"progress": 60, "updated_at": 2, "version": 2000},
    }
    assert (last["id"], last["event"], last["data"]["status"]) == ("3000", "progress", "completed")
    assert (end["event"], end["data"]) == ("end", last["data"])


def test_its_headers_keep_proxies_from_buffering_it(server: Server, board: ProgressBoard) -> None:
    board.show([ended(1000)])

    answer = httpx.get(server.url + PATH, headers=KEY)

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store, no-transform"
    assert answer.headers["x-accel-buffering"] == "no"
    assert "content-length" not in answer.headers


def test_the_stream_of_a_finished_training_ends_at_once(
    server: Server, board: ProgressBoard
) -> None:
    board.show([ended(1000)])

    with following(server) as received:
        assert [each["event"] for each in received] == ["progress", "end"]


def test_it_never_goes_backwards(server: Server, board: ProgressBoard) -> None:
    board.show([running(5000)])

    with following(server) as received:
        assert next(received)["id"] == "5000"
        for at, text in ((4000, "older"), (5000, "A tie"), (6000, "newer")):
            fields = running(at).fields | {"message": text}
            redis_of(board).publish(
                "training:t-1", httpx.Request("GET", "http://x", json=fields).content
            )
        redis_of(board).publish("training:t-1", "not even JSON")
        redis_of(board).publish("training:t-1", "[]")
        redis_of(board).publish(
            "training:t-1", '{"progress": 50, "message": "from another writer"}'
        )
        board.show([ended(7000)])
        assert [each["id"] for each in received] == ["6000", "7000", "end"]


def test_an_end_counts_even_if_a_clock_was_slow(server: Server, board: ProgressBoard) -> None:
    board.show([running(5000)])

    with following(server) as received:
        next(received)
        board.show([ended(4000)])
        assert [each["data"]["status"] for each in received] == ["completed", "completed"]


def test_an_update_between_subscribing_and_reading_is_not_lost(
    server: Server, board: ProgressBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.show([running(1000)])

    def reads_slowly(*given: Any) -> TrainingProgress | None:
        state = current_progress(*given)
        if state and state.at == 1000:
            board.show([running(2000)])
        return state

    monkeypatch.setattr(progress_stream, "current_progress", reads_slowly)

    with following(server) as received:
        assert [next(received)["id"], next(received)["id"]] == ["1000", "2000"]


def test_a_comment_keeps_the_connection_while_there_is_no_update(
    server: Server, board: ProgressBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_stream, "HEARTBEAT", 0.02)
    board.show([running(1000)])

    with httpx.stream("GET", server.url + PATH, headers=KEY, timeout=10) as response:
        received = messages(response)
        found = [next(received) for _ in range(5)]

    assert found[0] == {"retry": "1000"}
    assert found[1]["event"] == "progress"
    assert all("comment" in each for each in found[2:])


def test_an_update_whose_message_got_lost_is_sent_with_the_next_heartbeat(
    server: Server,
    board: ProgressBoard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress_stream, "HEARTBEAT", 0.02)
    board.show([running(1000)])

    with following(server) as received:
        next(received)
        fields: Any = running(2000).fields
        redis_of(board).hset("training:t-1", mapping=fields)
        assert next(received)["id"] == "2000"


def test_an_unknown_training_is_not_found(server: Server) -> None:
    answer = httpx.get(server.url + PATH, headers=KEY)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_key_is_needed(server: Server) -> None:
    assert httpx.get(server.url + PATH).status_code == 401
