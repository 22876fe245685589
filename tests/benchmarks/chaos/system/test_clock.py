"""A process whose clock is ahead: everything in it that asks Python for the time is told wrong."""

import json
import subprocess
import sys
import time

ASK = """
import json
from benchmarks.chaos.system.clock import run_ahead
run_ahead(300)
import time
from datetime import UTC, datetime
from pydantic import AwareDatetime, TypeAdapter
from events import uuid7
parsed = TypeAdapter(AwareDatetime).validate_python("2026-01-01T00:00:00Z")
print(json.dumps({
    "time": time.time(),
    "time_ns": time.time_ns() / 1e9,
    "now": datetime.now(UTC).timestamp(),
    "uuid7": (uuid7().int >> 80) / 1000,
    "instance": isinstance(parsed, datetime) and issubclass(type(parsed), datetime),
    "validated": TypeAdapter(AwareDatetime).validate_python(datetime.now(UTC)).timestamp(),
}))
"""


def test_all_ways_to_ask_python_for_the_time_are_ahead() -> None:
    asked = subprocess.run(
        [sys.executable, "-W", "error", "-c", ASK], capture_output=True, text=True, check=True
    )

    told, now = json.loads(asked.stdout), time.time()
    assert told.pop("instance") is True
    assert {name: abs(value - now - 300) < 30 for name, value in told.items()} == dict.fromkeys(
        told, True
    )
