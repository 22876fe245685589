"""`GET /trainings/{id}/progress/stream`: live, from wherever a page was, until the end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from events import TrainingCompleted, TrainingProgressed, TrainingStarted
from runtime.assembly import Assembly
from runtime.embedded.servers import Server as PrivateServer
from services.redis.progress import Progress, ProgressBoard
from services.redis.tcp import TcpCommands
from settings import Settings
from tests.factories import publish_now
from tests.web.requests import KEY, messages, until
from tests.web.routes.test_progress import told
from web.routes.trainings import stream
from web.routes.trainings.progress import progress_of
from web.serve import Server

PATH = "/trainings/t-1/progress/stream"
Run = Callable[[Settings], AbstractContextManager[Server]]


def running(at: int, progress: float = 40) -> Progress:
    return Progress("t-1", progress, "Learning", "running", at)


def ended(at: int) -> Progress:
    return Progress("t-1", 100, "Done", "completed", at)


@pytest.fixture
def board(assembly: Assembly) -> ProgressBoard:
    return ProgressBoard(TcpCommands(assembly.redis))


@contextmanager
def following(
    server: Server, last: str | None = None, query: str = ""
) -> Iterator[Iterator[dict[str, Any]]]:
    """The messages of a stream, without comments; nothing comes for 10 s at most."""
    headers = KEY | ({"Last-Event-ID": last} if last is not None else {})
    with httpx.stream("GET", server.url + PATH + query, headers=headers, timeout=10) as response:
        assert response.status_code == 200
        yield (each for each in messages(response) if "event" in each)


def test_first_the_state_then_the_news_then_the_end(server: Server, board: ProgressBoard) -> None:
    board.show([running(1000)])

    with following(server) as heard:
        first = next(heard)
        board.show([running(2000, 60)])
        second = next(heard)
        board.show([ended(3000)])
        last, end = list(heard)

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


def test_its_headers_keep_proxies_from_holding_it_back(
    server: Server, board: ProgressBoard
) -> None:
    board.show([ended(1000)])

    answer = httpx.get(server.url + PATH, headers=KEY)

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert "content-length" not in answer.headers


def test_a_finished_training_is_told_and_ends_at_once(server: Server, board: ProgressBoard) -> None:
    board.show([ended(1000)])

    with following(server) as heard:
        assert [each["event"] for each in heard] == ["progress", "end"]


@pytest.mark.parametrize(("last", "query"), [("1000", ""), (None, "?last_event_id=1000")])
def test_who_comes_back_is_not_told_again_what_they_know(
    server: Server, board: ProgressBoard, last: str | None, query: str
) -> None:
    board.show([running(1000)])

    with following(server, last, query) as heard:
        until(lambda: followers(board) == 1)
        board.show([running(2000)])
        assert next(heard)["id"] == "2000"


def test_who_comes_back_is_told_what_is_newer(server: Server, board: ProgressBoard) -> None:
    board.show([running(2000)])

    with following(server, "1000") as heard:
        assert next(heard)["id"] == "2000"


def test_who_comes_back_to_the_end_they_saw_hears_no_more(
    server: Server, board: ProgressBoard
) -> None:
    board.show([ended(1000)])
    with following(server) as heard:
        end = list(heard)[-1]

    answer = httpx.get(server.url + PATH, headers=KEY | {"Last-Event-ID": end["id"]})

    assert answer.status_code == 204


def test_an_end_is_told_also_to_whom_it_is_no_newer(server: Server, board: ProgressBoard) -> None:
    board.show([ended(1000)])

    with following(server, "2000") as heard:
        (end,) = heard

    assert (end["event"], end["data"]["status"]) == ("end", "completed")


@pytest.mark.parametrize("last", ["", "x", "-5", "9" * 5000, "1.5"])
def test_a_last_event_id_that_is_none_of_ours_counts_for_nothing(
    server: Server, board: ProgressBoard, last: str
) -> None:
    board.show([running(1000)])

    with following(server, last) as heard:
        assert next(heard)["id"] == "1000"


def test_it_never_goes_backwards(server: Server, board: ProgressBoard) -> None:
    board.show([running(5000)])

    with following(server) as heard:
        assert next(heard)["id"] == "5000"
        for at, line in ((4000, "older"), (5000, "A tie"), (6000, "newer")):
            fields = running(at).fields | {"message": line}
            redis_of(board).publish(
                "training:t-1", httpx.Request("GET", "http://x", json=fields).content
            )
        redis_of(board).publish("training:t-1", "not even JSON")
        redis_of(board).publish("training:t-1", "[]")
        redis_of(board).publish(
            "training:t-1", '{"progress": 50, "message": "from another writer"}'
        )
        board.show([ended(7000)])
        assert [each["id"] for each in heard] == ["6000", "7000", "end"]


def test_an_end_counts_even_if_a_clock_was_slow(server: Server, board: ProgressBoard) -> None:
    board.show([running(5000)])

    with following(server) as heard:
        next(heard)
        board.show([ended(4000)])
        assert [each["data"]["status"] for each in heard] == ["completed", "completed"]


def test_news_between_subscribing_and_reading_is_not_lost(
    server: Server, board: ProgressBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.show([running(1000)])

    def reads_slowly(*given: Any) -> Progress | None:
        state = progress_of(*given)
        if state and state.at == 1000:
            board.show([running(2000)])
        return state

    monkeypatch.setattr("web.routes.trainings.stream.progress_of", reads_slowly)

    with following(server) as heard:
        assert [next(heard)["id"], next(heard)["id"]] == ["1000", "2000"]


def test_a_comment_keeps_the_line_while_there_is_no_news(
    server: Server, board: ProgressBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.02)
    board.show([running(1000)])

    with httpx.stream("GET", server.url + PATH, headers=KEY, timeout=10) as response:
        heard = messages(response)
        found = [next(heard) for _ in range(5)]

    assert found[0] == {"retry": "1000"}
    assert found[1]["event"] == "progress"
    assert all("comment" in each for each in found[2:])


def test_news_whose_message_got_lost_is_told_with_the_next_heartbeat(
    server: Server,
    board: ProgressBoard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.02)
    board.show([running(1000)])

    with following(server) as heard:
        next(heard)
        fields: Any = running(2000).fields
        redis_of(board).hset("training:t-1", mapping=fields)
        assert next(heard)["id"] == "2000"


def test_a_training_of_which_nothing_is_known_is_not_found(server: Server) -> None:
    answer = httpx.get(server.url + PATH, headers=KEY)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_key_is_needed(server: Server) -> None:
    assert httpx.get(server.url + PATH).status_code == 401


def redis_of(board: ProgressBoard) -> Any:
    assert isinstance(board.commands, TcpCommands)
    return board.commands.client


def followers(board: ProgressBoard) -> int:
    """How many connections to Redis follow a training."""
    clients = redis_of(board).client_list()
    return sum(each["name"] == "insights-progress" for each in clients)


def test_a_page_that_leaves_frees_its_connection_at_once(
    server: Server, board: ProgressBoard
) -> None:
    board.show([running(1000)])

    with following(server) as heard:
        next(heard)
        assert followers(board) == 1

    until(lambda: followers(board) == 0, seconds=2)
    assert not server.streams.scopes


def test_the_end_frees_the_connection(server: Server, board: ProgressBoard) -> None:
    board.show([ended(1000)])

    with following(server) as heard:
        list(heard)

    until(lambda: followers(board) == 0, seconds=2)


def test_many_pages_follow_side_by_side(server: Server, board: ProgressBoard) -> None:
    board.show([running(1000)])
    told_to: list[list[str]] = []

    def page() -> None:
        with following(server) as heard:
            told_to.append([each["id"] for each in heard])

    pages = [threading.Thread(target=page) for _ in range(30)]
    for each in pages:
        each.start()
    until(lambda: followers(board) == 30)
    board.show([running(2000), ended(3000)])
    for each in pages:
        each.join(10)

    assert len(told_to) == 30
    assert all(ids[-2:] == ["3000", "end"] for ids in told_to)


def test_a_server_that_stops_ends_its_streams_at_once(
    assembly: Assembly, board: ProgressBoard, run: Run
) -> None:
    board.show([running(1000)])

    with run(assembly.settings) as server, following(server) as heard:
        next(heard)
        server.should_exit = True
        assert list(heard) == []
        until(lambda: not server.server_state.connections, seconds=2)


def test_it_survives_a_restart_of_redis(
    assembly: Assembly, own_redis: PrivateServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CALL_AGAIN", 0.02)
    settings = assembly.settings.model_copy(update={"redis_url": SecretStr(own_redis.url)})
    publish_now(assembly, told(TrainingStarted, 0))

    with run(settings) as server, following(server) as heard:
        assert next(heard)["data"]["message"] == "Started"
        own_redis.stop()
        publish_now(assembly, told(TrainingProgressed, 1, message="while Redis is away"))
        assert next(heard)["data"]["message"] == "while Redis is away"

        own_redis.start()
        restarted = server.config.app.state.door.board  # type: ignore[union-attr]
        until(lambda: followers(restarted) == 1)
        at = int(told(TrainingProgressed, 2).occurred_at.timestamp() * 1_000_000)
        restarted.show([Progress("t-1", 80, "live again", "running", at)])
        assert next(heard)["data"]["message"] == "live again"
        restarted.show([ended(at + 1)])
        assert [each["event"] for each in heard] == ["progress", "end"]


def test_without_redis_the_events_are_followed(
    assembly: Assembly, without_redis: Settings, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CALL_AGAIN", 0.02)
    publish_now(assembly, told(TrainingStarted, 0))

    with run(without_redis) as server, following(server) as heard:
        assert next(heard)["data"]["status"] == "running"
        publish_now(assembly, told(TrainingCompleted, 1))
        assert [each["event"] for each in heard] == ["progress", "end"]


def test_a_database_that_goes_away_too_is_waited_for(
    assembly: Assembly, without_redis: Settings, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CALL_AGAIN", 0.02)
    publish_now(assembly, told(TrainingStarted, 0))
    failures: list[Progress] = []

    def fails_thrice(*given: Any) -> Progress | None:
        state = progress_of(*given)
        if state and state.is_final and len(failures) < 3:
            failures.append(state)
            raise OperationalError("SELECT", None, ConnectionError())
        return state

    monkeypatch.setattr("web.routes.trainings.stream.progress_of", fails_thrice)

    with run(without_redis) as server, following(server) as heard:
        next(heard)
        publish_now(assembly, told(TrainingCompleted, 1))
        assert [each["event"] for each in heard] == ["progress", "end"]

    assert len(failures) == 3


def test_nothing_to_read_from_is_told_before_it_begins(
    without_redis: Settings, without_database: Settings, run: Run
) -> None:
    nothing = without_redis.model_copy(update={"database_url": without_database.database_url})

    with run(nothing) as server:
        assert httpx.get(server.url + PATH, headers=KEY, timeout=10).status_code == 503
