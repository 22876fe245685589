"""Follows the stream of the training t-1, and counts the followers in Redis."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx

from events.progress import TrainingProgress
from services.redis.progress import ProgressBoard
from services.redis.tcp import TcpCommands
from settings import Settings
from tests.web.requests import KEY, messages
from web.serve import Server

PATH = "/trainings/t-1/progress/stream"
Run = Callable[[Settings], AbstractContextManager[Server]]


def running(at: int, progress: float = 40) -> TrainingProgress:
    return TrainingProgress("t-1", progress, "Learning", "running", at)


def ended(at: int) -> TrainingProgress:
    return TrainingProgress("t-1", 100, "Done", "completed", at)


@contextmanager
def following(
    server: Server, last: str | None = None, query: str = ""
) -> Iterator[Iterator[dict[str, Any]]]:
    """The messages of a stream, without comments; nothing comes for 10 s at most."""
    headers = KEY | ({"Last-Event-ID": last} if last is not None else {})
    with httpx.stream("GET", server.url + PATH + query, headers=headers, timeout=10) as response:
        assert response.status_code == 200
        yield (each for each in messages(response) if "event" in each)


def redis_of(board: ProgressBoard) -> Any:
    assert isinstance(board.commands, TcpCommands)
    return board.commands.client


def followers(board: ProgressBoard) -> int:
    """How many connections to Redis follow a training."""
    clients = redis_of(board).client_list()
    return sum(each["name"] == "insights-progress" for each in clients)
