"""What a check found."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How something is: well, well with a remark, not configured, or in the way of working."""

    OK = "ok"
    HINT = "hint"
    OFF = "off"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `hint` says what to do where something is not right."""

    what: str
    status: Status
    detail: str
    hint: str = ""
