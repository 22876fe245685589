"""The checks behind `/readyz` and `/metrics` end, whatever becomes of their connection."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from runtime import connection_budget, web
from runtime.assembly import Assembly
from runtime.web import make_app
from tests.factories import libpq_url
from tests.freezing_proxy import FreezingProxy
from tests.web.requests import KEY

DEADLINE = 0.5  # seconds, in place of 5


@pytest.fixture
def proxy(assembly: Assembly) -> Iterator[FreezingProxy]:
    proxy = FreezingProxy(libpq_url(assembly.settings))
    yield proxy
    proxy.close()


@pytest.mark.parametrize(
    ("path", "poison", "statement"),
    [
        ("/readyz", b"statement_timeout", "the first statement"),
        ("/readyz", b"alembic_version", "a later one"),
        ("/readyz", b"pg_catalog.version", "SQLAlchemy's own questions"),
        ("/metrics", b"statement_timeout", "the first statement"),
        ("/metrics", b"insights.deliveries", "a later one"),
    ],
)
def test_a_connection_that_only_looks_alive_is_given_up(
    assembly: Assembly,
    proxy: FreezingProxy,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    poison: bytes,
    statement: str,
) -> None:
    assert web.PROBE_DEADLINE == 5
    monkeypatch.setattr(web, "PROBE_DEADLINE", DEADLINE)
    settings = assembly.settings.model_copy(update={"database_url": proxy.url})
    proxy.poison = poison
    began = time.monotonic()

    with TestClient(make_app(settings), headers=KEY) as client:
        frozen = client.get(path)
        took = time.monotonic() - began
        proxy.poison = None
        time.sleep(1)  # the result of the frozen look is as long shared
        thawed = client.get(path)

    assert proxy.frozen == 1, statement
    assert DEADLINE * 0.9 < took < 4
    assert is_well(thawed.text)
    assert not is_well(frozen.text)


def is_well(answer: str) -> bool:
    return '"ready"' in answer or "insights_database_up 1.0" in answer


def test_probes_open_no_more_connections_than_are_budgeted(
    assembly: Assembly, proxy: FreezingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "PROBE_DEADLINE", DEADLINE)
    settings = assembly.settings.model_copy(update={"database_url": proxy.url})
    proxy.poison = b"statement_timeout"  # each connection stays open until the deadline

    with TestClient(make_app(settings), headers=KEY) as client, ThreadPoolExecutor(8) as pool:
        list(pool.map(client.get, ["/readyz", "/metrics"] * 4))

    assert proxy.frozen == connection_budget.PROBES
