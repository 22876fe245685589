"""Errors of the Loops API, and the validation that several endpoints share."""

from typing import Any

from starlette.responses import JSONResponse

MAX_LENGTH = 500  # characters of a key or value (https://loops.so/docs/api-reference)


class ApiError(Exception):
    """Raised by an endpoint; `response` is what Loops answers.

    Loops has no error codes: clients branch on the status. `more` are further keys of the body,
    which differ between endpoints.
    """

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"success": False, "message": message} | more

    @property
    def response(self) -> JSONResponse:
        return JSONResponse(self.body, self.status)


def check_lengths(value: object, path: str = "") -> None:
    """Raises ApiError 400 where a key or value anywhere in a body is too long."""
    match value:
        case str() if len(value) > MAX_LENGTH:
            message = f"{path or 'value'} is longer than {MAX_LENGTH} characters."
            raise ApiError(400, message, path=path)
        case dict():
            for key, each in value.items():
                check_lengths(key, path)
                check_lengths(each, key)
        case list():
            for each in value:
                check_lengths(each, path)


def valid_email(value: object) -> str:
    """An address, in lower case as Loops keeps it. Raises ApiError 400."""
    if not isinstance(value, str) or "@" not in value.strip("@"):
        raise ApiError(400, "A valid email is required.", path="email")
    return value.lower()


def check_properties(properties: dict[str, Any]) -> None:
    """Raises ApiError 400 for a nested value: strings, numbers, booleans and null are allowed."""
    for name, value in properties.items():
        if isinstance(value, dict | list):
            raise ApiError(400, f"{name} must not be nested.", path=name)
