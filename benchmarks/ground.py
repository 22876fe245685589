"""Where is measured: servers that were given or private ones, never anybody's data."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from urllib.parse import parse_qsl, urlencode

import redis
from pydantic import SecretStr

from benchmarks.errors import BenchFailed
from runtime.embedded.servers import (
    Server,
    postgres_answers,
    private_postgres,
    private_valkey,
    redis_answers,
)
from services.redis.doorbell import CHANNEL, RELAY
from settings import Settings


@dataclass(frozen=True)
class Ground:
    """A PostgreSQL on which databases may be made, an empty Redis database, a folder for logs."""

    database_url: str
    redis_url: str
    folder: Path
    id: str


@contextmanager
def ground(settings: Settings) -> Iterator[Ground]:
    """The servers of the settings, or private ones that stop at the end of the `with` block.

    Raises BenchFailed when a given server does not answer or has no room, ServerFailed when a
    private one does not start.
    """
    folder = settings.insights_home.resolve() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if settings.database_url:
            database_url = answering("DATABASE_URL", settings.database_url, postgres_answers)
        else:
            database_url = stack.enter_context(running(private_postgres, folder)).url
        if settings.redis_url:
            redis_url = empty_database(answering("REDIS_URL", settings.redis_url, redis_answers))
        else:
            redis_url = stack.enter_context(running(private_valkey, folder)).url
        refuse_company(redis_url)
        yield Ground(database_url, redis_url, folder, token_hex(4))


def answering(name: str, url: SecretStr, answers: Callable[[str], bool]) -> str:
    """The URL of a given server. Raises BenchFailed when it does not answer."""
    if not answers(url.get_secret_value()):
        raise BenchFailed(f"Nobody answers at {name}. Unset it to measure on a private server.")
    return url.get_secret_value()


@contextmanager
def running(make: Callable[[Path], Server], folder: Path) -> Iterator[Server]:
    """A private server."""
    server = make(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def empty_database(url: str) -> str:
    """The URL of a numbered database of this Redis in which there is nothing."""
    for number in reversed(range(16)):
        numbered = with_database(url, number)
        with redis.Redis.from_url(numbered, retry=None) as client:
            try:
                if client.dbsize() == 0:
                    return numbered
            except redis.ResponseError:
                continue
    raise BenchFailed(
        "The Redis of REDIS_URL has no empty database to measure in. Name another one, or leave "
        "REDIS_URL unset to measure on a private server."
    )


def with_database(url: str, number: int) -> str:
    """The URL of another numbered database of the same Redis."""
    address, _, query = url.partition("?")
    return f"{address}?{urlencode(dict(parse_qsl(query)) | {'db': str(number)})}"


def refuse_company(redis_url: str) -> None:
    """Bells ring through all databases of a Redis: those of a running product would be heard."""
    with redis.Redis.from_url(redis_url, retry=None) as client:
        ((_, listening),) = client.pubsub_numsub(CHANNEL + RELAY)
    if listening:
        raise BenchFailed(
            "A relay is running on this Redis; measuring there would disturb both. Name another "
            "one in REDIS_URL, or leave it unset."
        )
