"""Looks at everything that the product needs, in turn."""

from collections.abc import Iterator

from cli.doctor.broker import check_broker
from cli.doctor.finding import Finding
from cli.doctor.loops import check_loops
from cli.doctor.postgres import check_postgres
from cli.doctor.providers import check_providers
from cli.doctor.redis import check_redis
from cli.doctor.storage import check_storage
from runtime.assembly import Assembly


def examine(assembly: Assembly) -> Iterator[Finding]:
    """Look at everything that the settings name; takes seconds even where nothing answers."""
    yield from check_postgres(assembly)
    yield from check_redis(assembly.settings)
    yield from check_broker(assembly.settings)
    yield check_storage(assembly.settings)
    yield from check_providers(assembly.settings)
    yield from check_loops(assembly.settings)
