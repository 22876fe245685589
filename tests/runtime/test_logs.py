"""What a process logs, as another program reads it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import logging
import structlog
from runtime.logs import set_up_logs
from settings import load_settings

set_up_logs(load_settings(_env_file=None))
structlog.get_logger().info("training_done", accuracy=0.9)
logging.getLogger("a.library").warning("It is slow.")
logging.getLogger("a.library").info("It is quick.")
"""


def logged(**variables: str) -> str:
    """All that a process with these settings writes to stderr; it writes nothing to stdout."""
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"PYTHONPATH": root} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("form", ["json", "auto"])
def test_logs_are_json_where_no_terminal_is(form: str) -> None:
    ours, theirs = map(json.loads, logged(LOG_FORMAT=form, LOG_LEVEL="info").splitlines())

    assert (ours["event"], ours["level"], ours["accuracy"]) == ("training_done", "info", 0.9)
    assert ours["timestamp"].endswith("Z")
    assert (theirs["event"], theirs["level"]) == ("It is slow.", "warning")


def test_the_level_holds_for_libraries_too() -> None:
    assert logged(LOG_FORMAT="json", LOG_LEVEL="error") == ""


def test_pretty_logs_are_for_people() -> None:
    shown = logged(LOG_FORMAT="pretty", LOG_LEVEL="info")

    assert "training_done" in shown
    assert not shown.startswith("{")
