"""What measurements leave behind on the servers, which must be nothing."""

import psycopg
import redis

from tests.factories import Servers


def bench_databases(servers: Servers) -> set[str]:
    """The databases that measurements made and did not drop."""
    with psycopg.connect(servers.database_url) as connection:
        query = "SELECT datname FROM pg_database WHERE datname LIKE 'insights_bench_%'"
        return {str(row[0]) for row in connection.execute(query)}


def key_counts(servers: Servers) -> dict[str, int]:
    """How many keys each database of the Redis holds."""
    with redis.Redis.from_url(servers.redis_url) as client:
        found: dict[str, dict[str, int]] = client.info("keyspace")
    return {name: each["keys"] for name, each in found.items()}
