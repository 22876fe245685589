"""What a check found."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """`hint` is worth knowing, `off` is not configured, `wrong` keeps the product from working."""

    OK = "ok"
    HINT = "hint"
    OFF = "off"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """The result of one check; `hint` says what to do where something is not right."""

    what: str
    status: Status
    detail: str
    hint: str = ""
