"""A request whose connection to PostgreSQL only looks alive is answered, and the server stops."""

import threading
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from runtime.assembly import Assembly
from runtime.web import make_app
from settings import Settings
from tests.factories import libpq_url
from tests.freezing_proxy import FreezingProxy
from tests.waiting import wait_until
from tests.web.requests import KEY

EVENT = {"specversion": "1.0", "source": "/test", "type": "prediction.made"}


@pytest.fixture
def proxy(assembly: Assembly) -> Iterator[FreezingProxy]:
    proxy = FreezingProxy(libpq_url(assembly.settings))
    yield proxy
    proxy.close()


def through(proxy: FreezingProxy, assembly: Assembly, answer: float) -> Settings:
    changes = {"database_url": proxy.url, "database_answer_seconds": answer}
    return assembly.settings.model_copy(update=changes)


def publish(client: TestClient) -> int:
    event = EVENT | {"id": str(uuid4()), "subject": str(uuid4()), "data": {"model_id": "m"}}
    headers = {"Content-Type": "application/cloudevents+json"}
    return client.post("/events", json=event, headers=headers).status_code


def test_a_request_is_done_over_a_new_connection(assembly: Assembly, proxy: FreezingProxy) -> None:
    with TestClient(make_app(through(proxy, assembly, 0.5)), headers=KEY) as client:
        assert publish(client) == 202
        proxy.freeze()
        began = time.monotonic()

        answers = [publish(client), publish(client)]

    assert answers in ([202, 202], [503, 202])  # the sender tries again
    assert 0.4 < time.monotonic() - began < 5


def test_a_server_that_stops_waits_for_no_answer_for_long(
    assembly: Assembly, proxy: FreezingProxy
) -> None:
    app = make_app(through(proxy, assembly, 60))
    with TestClient(app, headers=KEY) as client:
        assert publish(client) == 202
        proxy.freeze()
        answers: list[int] = []
        request = threading.Thread(target=lambda: answers.append(publish(client)))
        request.start()
        wait_until(lambda: proxy.frozen > 0)
        began = time.monotonic()

        app.state.dependencies.stopped.set()
        request.join()

    assert answers == [503]
    assert time.monotonic() - began < 10
