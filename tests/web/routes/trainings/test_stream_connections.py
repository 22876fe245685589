"""What a stream holds is freed when it ends, for whatever reason."""

import threading

from runtime.assembly import Assembly
from services.redis.progress import ProgressBoard
from tests.web.requests import until
from tests.web.routes.trainings.streams import (
    Run,
    ended,
    followers,
    following,
    running,
)
from web.serve import Server


def test_a_client_that_leaves_frees_its_connection_at_once(
    server: Server, board: ProgressBoard
) -> None:
    board.show([running(1000)])

    with following(server) as received:
        next(received)
        assert followers(board) == 1

    until(lambda: followers(board) == 0, seconds=2)
    assert not server.streams.scopes


def test_the_end_frees_the_connection(server: Server, board: ProgressBoard) -> None:
    board.show([ended(1000)])

    with following(server) as received:
        list(received)

    until(lambda: followers(board) == 0, seconds=2)


def test_many_clients_follow_side_by_side(server: Server, board: ProgressBoard) -> None:
    board.show([running(1000)])
    ids_of: list[list[str]] = []

    def follow() -> None:
        with following(server) as received:
            ids_of.append([each["id"] for each in received])

    clients = [threading.Thread(target=follow) for _ in range(30)]
    for each in clients:
        each.start()
    until(lambda: followers(board) == 30)
    board.show([running(2000), ended(3000)])
    for each in clients:
        each.join(10)

    assert len(ids_of) == 30
    assert all(ids[-2:] == ["3000", "end"] for ids in ids_of)


def test_a_server_that_stops_ends_its_streams_at_once(
    assembly: Assembly, board: ProgressBoard, run: Run
) -> None:
    board.show([running(1000)])

    with run(assembly.settings) as server, following(server) as received:
        next(received)
        server.should_exit = True
        assert list(received) == []
        until(lambda: not server.server_state.connections, seconds=2)
