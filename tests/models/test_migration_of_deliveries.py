"""What is owed before the revision 0011 is owed after it, and after going back."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from runtime.migrate import downgrade, migrate, upgrade
from tests.factories import Servers, new_database
from tests.models.assemblies import assembly_on

OWED = """
    INSERT INTO insights.handlers (name) VALUES ('usage'), ('emails');
    INSERT INTO insights.deliveries
        (handler, event_id, due_at, leases, attempts, leased, died_at, last_error, setbacks)
    VALUES
        ('usage', '00000000-0000-0000-0000-000000000001', now() - interval '1 minute',
         0, 0, false, NULL, NULL, 0),
        ('usage', '00000000-0000-0000-0000-000000000002', now() - interval '2 minutes',
         0, 0, false, NULL, NULL, 0),
        ('usage', '00000000-0000-0000-0000-000000000003', now() + interval '1 hour',
         4, 2, false, NULL, 'It failed.', 1),
        ('emails', '00000000-0000-0000-0000-000000000004', now() + interval '1 minute',
         1, 0, true, NULL, NULL, 0),
        ('gone', '00000000-0000-0000-0000-000000000005', now() - interval '1 hour',
         9, 9, false, now(), 'It died.', 0);
"""
# Of what was leased nobody can tell whether it is in hand: it comes back when its lease would end.
KEPT = [
    ("emails", 4, "waiting", 1, 0, 0, None),
    ("gone", 5, "dead", 9, 9, 0, "It died."),
    ("usage", 1, "due", 0, 0, 0, None),
    ("usage", 2, "due", 0, 0, 0, None),
    ("usage", 3, "waiting", 4, 2, 1, "It failed."),
]
STATES = """
    SELECT handler, right(event_id::text, 1)::int, state, leases, attempts, setbacks, last_error
    FROM insights.delivery_states ORDER BY 1, 2
"""
AT_ONCE = """
    SELECT right(event_id::text, 1)::int FROM insights.deliveries
    WHERE due_at IS NULL ORDER BY seq
"""


@pytest.fixture
def old(servers: Servers) -> Iterator[str]:
    """A database of before, in which something is owed in each state."""
    with new_database(servers.database_url) as url:
        with assembly_on(url, servers) as assembly, assembly.engine.begin() as connection:
            upgrade(connection, "0010")
        with psycopg.connect(url) as owing:
            owing.execute(OWED)
        yield url


def rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_what_is_owed_keeps_its_state_and_its_order(old: str, servers: Servers) -> None:
    with assembly_on(old, servers) as assembly:
        migrate(assembly.engine, assembly.catalogue, assembly.handlers)

    assert rows(old, STATES) == KEPT
    assert rows(old, AT_ONCE) == [(2,), (1,)]  # the longest due first


def test_what_is_owed_is_owed_after_going_back(old: str, servers: Servers) -> None:
    with assembly_on(old, servers) as assembly:
        migrate(assembly.engine, assembly.catalogue, assembly.handlers)
        downgrade(assembly.engine, "0010")

    assert rows(old, STATES) == KEPT
