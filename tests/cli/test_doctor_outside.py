"""`insights doctor` on storage and on providers."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.cli.conftest import Insights, flat
from tests.cli.examining import DEAD, SECRET, examined


class Answer(BaseHTTPRequestHandler):
    status = 404

    def do_HEAD(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[str]:
    """A provider that answers, on a port of its own."""
    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_storage_folder_that_cannot_be_written_to_is_wrong(
    insights: Insights, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("STORAGE_URL", (tmp_path / "file" / "folder").as_uri())

    result = insights("doctor")

    assert result.exit_code == 1
    assert "cannot be written to" in flat(result.stdout)


def test_storage_of_an_unknown_kind_is_wrong(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_URL", "carrier-pigeon://loft")

    assert examined(insights)["storage"]["status"] == "wrong"


def test_providers_that_are_configured_are_asked_whether_they_are_there(
    insights: Insights, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    monkeypatch.setenv("POSTHOG_API_KEY", SECRET)
    monkeypatch.setenv("POSTHOG_HOST", f"http://{provider}")
    monkeypatch.setenv("SENTRY_DSN", f"http://{SECRET}@{DEAD}/1")
    monkeypatch.setenv("STRIPE_SECRET_KEY", SECRET)

    result = insights("doctor")
    found = examined(insights)

    assert result.exit_code == 0
    assert found["PostHog"]["status"] == "ok"
    assert found["Sentry"]["status"] == "hint"
    assert "cannot be reached" in found["Sentry"]["detail"]
    assert found["Stripe"]["hint"] == "Set STRIPE_WEBHOOK_SECRET too."
    assert SECRET not in result.output


def test_a_provider_with_an_outage_is_a_hint(
    insights: Insights, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    monkeypatch.setattr(Answer, "status", 503)
    monkeypatch.setenv("UPSTASH_REDIS_REST_URL", f"http://{provider}")
    monkeypatch.setenv("UPSTASH_REDIS_REST_TOKEN", SECRET)

    upstash = examined(insights)["Upstash"]

    assert upstash["status"] == "hint"
    assert "answers 503" in upstash["detail"]
