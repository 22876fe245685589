"""What was measured on: figures of different machines say little about each other."""

import os
import platform
from dataclasses import dataclass

import psycopg
import redis

from benchmarks.servers import BenchServers


@dataclass(frozen=True)
class Machine:
    """Processor cores, the load average of the minute before the start, and versions."""

    cores: int
    load: float
    system: str
    python: str
    postgresql: str
    redis: str

    def __str__(self) -> str:
        return (
            f"{self.cores} cores (load {self.load:.1f} before the start), {self.system}, "
            f"Python {self.python}, PostgreSQL {self.postgresql}, {self.redis}"
        )


def describe_machine(servers: BenchServers) -> Machine:
    """The facts of this machine and of the servers."""
    with psycopg.connect(servers.database_url) as connection:
        version = str(connection.execute("SHOW server_version").fetchone()[0])  # type: ignore[index]
    with redis.Redis.from_url(servers.redis_url) as client:
        found: dict[str, str] = client.info("server")
    name = "Valkey" if "valkey_version" in found else "Redis"
    number = found.get("valkey_version", found["redis_version"])
    return Machine(
        cores=os.cpu_count() or 1,
        load=os.getloadavg()[0],
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        postgresql=version,
        redis=f"{name} {number}",
    )
