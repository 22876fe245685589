"""What `insights doctor` found, by name."""

import json
from typing import Any

from tests.cli.conftest import Insights

DEAD = "127.0.0.1:1"
SECRET = "a-secret-that-must-not-be-shown"


def examined(insights: Insights) -> dict[str, dict[str, Any]]:
    told = json.loads(insights("doctor", "--json").stdout)
    return {each["what"]: each for each in told["findings"]}
