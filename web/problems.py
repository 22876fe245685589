"""Every error as a problem document (RFC 9457), which names what is wrong and shows no value."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from pydantic_core import ErrorDetails
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from errors import InsightsError, ProviderDown

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)
LONGEST_FIELD = 200
SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this type of event",
    "dict_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "json_invalid": "is not JSON",
}


class Wrong(BaseModel):
    """One thing that is wrong: in which field, and of which event of a batch, from 0."""

    index: int | None = None
    field: str
    detail: str


class ProblemDocument(BaseModel):
    """What went wrong, for a program by `status` and `errors`, for a person by `detail`."""

    type: str = "about:blank"
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    errors: list[Wrong] | None = None


class Problem(HTTPException, InsightsError):
    """Raised wherever a request cannot be answered as its sender wished."""

    def __init__(
        self,
        status: int,
        detail: str,
        wrong: Sequence[Wrong] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.wrong = list(wrong)

    def response(self) -> Response:
        """The problem as the client gets it."""
        document = ProblemDocument(
            title=HTTPStatus(self.status_code).phrase,
            status=self.status_code,
            detail=self.detail,
            errors=self.wrong or None,
        )
        body = document.model_dump_json(exclude_none=True)
        return Response(body, self.status_code, self.headers, MEDIA_TYPE)


def wrong_field(error: ErrorDetails, *, index: int | None = None) -> Wrong:
    """What pydantic found wrong, without the value that it found."""
    field = ".".join(map(str, error["loc"]))[:LONGEST_FIELD] or "event"
    return Wrong(index=index, field=field, detail=SENTENCES.get(error["type"], error["msg"]))


def answer_with_problems(app: FastAPI) -> None:
    """Have the app answer each of its errors with a problem document."""
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_wrong_request)
    app.add_exception_handler(ClientDisconnect, on_disconnect)
    app.add_exception_handler(ProviderDown, on_outage)
    for kind in DATABASE_AWAY:
        app.add_exception_handler(kind, on_outage)
    app.add_exception_handler(Exception, on_crash)


async def on_http_error(_request: Request, error: Any) -> Response:
    """A problem of ours, or a route or method that there is not."""
    if isinstance(error, Problem):
        return error.response()
    return Problem(error.status_code, f"{error.detail}.", headers=error.headers).response()


async def on_wrong_request(_request: Request, error: Any) -> Response:
    """A path, a query or a body that does not have the right form."""
    wrong = [wrong_field(each) for each in error.errors()]
    return Problem(422, "The request does not have the right form.", wrong).response()


async def on_outage(_request: Request, error: Exception) -> Response:
    """A server that we need is away; the sender may try again."""
    log.warning("cannot_answer", error=type(error).__name__)
    detail = "A server that this answer needs is away for the moment."
    return Problem(503, detail, headers={"Retry-After": "5"}).response()


async def on_disconnect(_request: Request, _error: Exception) -> Response:
    """The client left in the middle of its request: nobody reads this answer."""
    return Problem(400, "The request ended early.").response()


async def on_crash(_request: Request, _error: Exception) -> Response:
    """A fault of ours; the log tells which."""
    return Problem(500, "Something went wrong on our side.").response()
