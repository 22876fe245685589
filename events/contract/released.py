"""The contract as it was last released: what publishers may already rely on."""

import json
from pathlib import Path

from events.contract.schema import Schema

RELEASED = Path(__file__).resolve().parent.parent / "released.json"


def read_released(path: Path = RELEASED) -> Schema:
    """The released contract, as `json_schema` made it; without types before the first release."""
    if not path.exists():
        return {"$defs": {}}
    released: Schema = json.loads(path.read_text())
    return released


def write_released(contract: Schema, path: Path = RELEASED) -> None:
    """Make a contract the released one."""
    path.write_text(json.dumps(contract, indent=2, ensure_ascii=False) + "\n")
