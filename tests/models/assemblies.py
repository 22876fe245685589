"""The parts of the product on a database that only one test uses."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from runtime.assembly import Assembly
from settings import Settings
from tests.factories import HOME, Servers


@contextmanager
def assembly_on(database_url: str, servers: Servers) -> Iterator[Assembly]:
    """The parts of the product; their connections are closed at the end of the block."""
    assembly = Assembly(
        Settings(
            _env_file=None,
            database_url=SecretStr(database_url),
            redis_url=SecretStr(servers.redis_url),
            insights_home=HOME,
        )
    )
    try:
        yield assembly
    finally:
        assembly.close()
