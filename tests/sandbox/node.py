"""Node, and the vendors' SDKs for it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parent / "js"
Node = Callable[..., Any]


def installed_node() -> Node:
    """Runs a script of ours with Node; what it prints as JSON."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        skip_or_fail("Node and npm are not installed: the vendors' SDKs for it were not tried.")
    if not (SCRIPTS / "node_modules").exists():
        install = ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(install, cwd=SCRIPTS, capture_output=True, text=True, check=False)
        if done.returncode:
            skip_or_fail(f"npm could not install the vendors' SDKs: {done.stderr[-300:]}")
    return run


def run(script: str, *arguments: str) -> Any:
    command = ["node", script, *arguments]
    done = subprocess.run(
        command, cwd=SCRIPTS, capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def skip_or_fail(why: str) -> None:
    """In CI nothing is left out."""
    if os.getenv("INSIGHTS_CI"):
        pytest.fail(why)
    pytest.skip(why)
