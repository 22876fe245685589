"""The command line in this process, on the servers of the test run."""

import json
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from cli import app
from runtime.assembly import Assembly

OURS = ("DATABASE_URL", "REDIS_URL", "BROKER_URL", "STORAGE_URL", "EXTRA_PACKAGES")
PROVIDERS = ("LOOPS", "POSTHOG", "SENTRY", "STRIPE", "UPSTASH", "NEXT_PUBLIC")
UNREACHABLE = "127.0.0.1:1"
SECRET = "a-secret-that-must-not-be-shown"
Insights = Callable[..., Result]


@pytest.fixture
def insights(assembly: Assembly, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Insights:
    """Run a command; anything but a sentence on stderr fails the test."""
    for name in os.environ:
        if name in OURS or name.startswith(PROVIDERS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", plain(assembly.settings.database_url))
    monkeypatch.setenv("REDIS_URL", plain(assembly.settings.redis_url))
    monkeypatch.chdir(tmp_path)
    # Loggers that were set up here would go on writing to a stream that is closed by then.
    monkeypatch.setattr(import_module("cli.app"), "set_up_logs", lambda _: None)

    def run(*arguments: object, given: str | None = None) -> Result:
        result = CliRunner().invoke(app, [str(each) for each in arguments], input=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def plain(secret: Any) -> str:
    return str(secret.get_secret_value())


def flat(printed: str) -> str:
    """What was printed, however its lines were broken."""
    return " ".join(printed.split())


def let_die(assembly: Assembly, handler: str, error: str = "boom") -> None:
    """Make all that a handler owes dead."""
    with assembly.engine.begin() as connection:
        connection.execute(
            text("""
                UPDATE insights.deliveries SET died_at = now(), attempts = 10, last_error = :error
                WHERE handler = (SELECT h.id FROM insights.handlers h WHERE h.name = :handler)
            """),
            {"handler": handler, "error": error},
        )


def doctor_findings(insights: Insights) -> dict[str, dict[str, Any]]:
    """What `insights doctor` found, by what was checked."""
    output = json.loads(insights("doctor", "--json").stdout)
    return {each["what"]: each for each in output["findings"]}
