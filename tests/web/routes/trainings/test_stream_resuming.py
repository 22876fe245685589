"""`Last-Event-ID`: a client that reconnects gets only what is newer."""

import httpx
import pytest

from services.redis.progress import ProgressBoard
from tests.web.requests import KEY, until
from tests.web.routes.trainings.streams import PATH, ended, followers, following, running
from web.serve import Server


@pytest.mark.parametrize(("last", "query"), [("1000", ""), (None, "?last_event_id=1000")])
def test_a_client_that_reconnects_does_not_get_what_it_has(
    server: Server, board: ProgressBoard, last: str | None, query: str
) -> None:
    board.show([running(1000)])

    with following(server, last, query) as received:
        until(lambda: followers(board) == 1)
        board.show([running(2000)])
        assert next(received)["id"] == "2000"


def test_a_client_that_reconnects_gets_what_is_newer(server: Server, board: ProgressBoard) -> None:
    board.show([running(2000)])

    with following(server, "1000") as received:
        assert next(received)["id"] == "2000"


def test_a_client_that_has_the_end_gets_a_204(server: Server, board: ProgressBoard) -> None:
    board.show([ended(1000)])
    with following(server) as received:
        end = list(received)[-1]

    answer = httpx.get(server.url + PATH, headers=KEY | {"Last-Event-ID": end["id"]})

    assert answer.status_code == 204


def test_an_end_is_sent_even_if_it_is_no_newer(server: Server, board: ProgressBoard) -> None:
    board.show([ended(1000)])

    with following(server, "2000") as received:
        (end,) = received

    assert (end["event"], end["data"]["status"]) == ("end", "completed")


@pytest.mark.parametrize("last", ["", "x", "-5", "9" * 5000, "1.5"])
def test_a_last_event_id_that_is_none_of_ours_is_ignored(
    server: Server, board: ProgressBoard, last: str
) -> None:
    board.show([running(1000)])

    with following(server, last) as received:
        assert next(received)["id"] == "1000"
