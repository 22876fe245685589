"""What Loops refuses, in the shape in which it says so."""

from typing import Any

from starlette.responses import JSONResponse

LONGEST = 500


class Refused(Exception):
    """Raised by an endpoint; becomes Loops's answer."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"success": False, "message": message} | more

    @property
    def response(self) -> JSONResponse:
        """The answer of a request that was refused."""
        return JSONResponse(self.body, self.status)


def check_lengths(value: object, path: str = "") -> None:
    """No single key or value may be longer than 500 characters."""
    match value:
        case str() if len(value) > LONGEST:
            raise Refused(400, f"{path or 'value'} is longer than {LONGEST} characters.", path=path)
        case dict():
            for key, each in value.items():
                check_lengths(key, path)
                check_lengths(each, key)
        case list():
            for each in value:
                check_lengths(each, path)


def need_email(value: object) -> str:
    """An address as Loops takes it."""
    if not isinstance(value, str) or "@" not in value.strip("@"):
        raise Refused(400, "A valid email is required.", path="email")
    return value.lower()


def check_properties(fields: dict[str, Any]) -> None:
    """Properties are strings, numbers, booleans or null: nothing is nested."""
    for name, value in fields.items():
        if isinstance(value, dict | list):
            raise Refused(400, f"{name} must not be nested.", path=name)
