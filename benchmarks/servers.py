"""The servers that measurements run on: given or private ones, never where others have data."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from urllib.parse import parse_qsl, urlencode

import redis
from pydantic import SecretStr

from benchmarks.errors import BenchFailed
from runtime.embedded.postgres import postgres_answers, private_postgres
from runtime.embedded.server import EmbeddedServer
from runtime.embedded.valkey import private_valkey, redis_answers
from services.redis.doorbell import RELAY, channel_of
from settings import Settings

REDIS_DATABASES = 16  # as many as Redis has by default


@dataclass(frozen=True)
class BenchServers:
    """A PostgreSQL that may make databases, an empty Redis database, a folder for logs.

    `id` is part of the name of each database made, so that runs do not disturb each other.
    """

    database_url: str
    redis_url: str
    folder: Path
    id: str


@contextmanager
def bench_servers(settings: Settings) -> Iterator[BenchServers]:
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
            database_url = stack.enter_context(started(private_postgres(folder))).url
        if settings.redis_url:
            redis_url = empty_database(answering("REDIS_URL", settings.redis_url, redis_answers))
        else:
            redis_url = stack.enter_context(started(private_valkey(folder))).url
        refuse_shared_redis(redis_url)
        yield BenchServers(database_url, redis_url, folder, token_hex(4))


def answering(name: str, url: SecretStr, answers: Callable[[str], bool]) -> str:
    """The URL of a given server. Raises BenchFailed when it does not answer."""
    if not answers(url.get_secret_value()):
        raise BenchFailed(f"No server answers at {name}. Unset it to measure on a private server.")
    return url.get_secret_value()


@contextmanager
def started(server: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A private server, running for the `with` block. Raises ServerFailed."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


def empty_database(url: str) -> str:
    """The URL of an empty numbered database of this Redis. Raises BenchFailed if all are used."""
    for number in reversed(range(REDIS_DATABASES)):
        numbered = with_database(url, number)
        with redis.Redis.from_url(numbered, retry=None) as client:
            try:
                if client.dbsize() == 0:
                    return numbered
            # Hosted servers have fewer databases.
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


def refuse_shared_redis(redis_url: str) -> None:
    """Raise BenchFailed when a relay listens: channels are shared by all databases of a Redis."""
    with redis.Redis.from_url(redis_url, retry=None) as client:
        ((_, listening),) = client.pubsub_numsub(channel_of(RELAY))
    if listening:
        raise BenchFailed(
            "A relay is running on this Redis; measuring there would disturb both. Name another "
            "one in REDIS_URL, or leave it unset."
        )
