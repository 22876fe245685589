"""Looks at everything that the product needs, in turn."""

from collections.abc import Iterator

from workers.assembly import Assembly
from workers.doctor.broker import check_broker
from workers.doctor.finding import Finding
from workers.doctor.loops import check_loops
from workers.doctor.postgres import check_postgres
from workers.doctor.providers import check_providers
from workers.doctor.redis import check_redis
from workers.doctor.storage import check_storage


def examine(assembly: Assembly) -> Iterator[Finding]:
    """Look at everything that the settings name; takes seconds even where nothing answers."""
    yield from check_postgres(assembly)
    yield from check_redis(assembly.settings)
    yield from check_broker(assembly.settings)
    yield check_storage(assembly.settings)
    yield from check_providers(assembly.settings)
    yield from check_loops(assembly.settings)
