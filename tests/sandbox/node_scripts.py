"""Runs the scripts in `js/`, which use the vendors' SDKs for Node."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parent / "js"
TIMEOUT = 50  # seconds; below pytest's 60, so that the script's own output is shown
RunScript = Callable[..., Any]


def script_runner() -> RunScript:
    """A function that runs a script with arguments, and returns the JSON that it prints.

    Installs the SDKs first. Skips the test where Node is missing.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        skip_or_fail("Node and npm are not installed: the vendors' SDKs for it were not tried.")
    if not (SCRIPTS / "node_modules").exists():
        install = ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(install, cwd=SCRIPTS, capture_output=True, text=True, check=False)
        if done.returncode:
            skip_or_fail(f"npm could not install the vendors' SDKs: {done.stderr[-300:]}")
    return run_script


def run_script(script: str, *arguments: str) -> Any:
    command = ["node", script, *arguments]
    done = subprocess.run(
        command, cwd=SCRIPTS, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def skip_or_fail(reason: str) -> None:
    """Fail in CI, where no test may be left out."""
    if os.getenv("INSIGHTS_CI"):
        pytest.fail(reason)
    pytest.skip(reason)
