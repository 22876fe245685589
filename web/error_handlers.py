"""Answers every error of the app with a problem document."""

from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from errors import ProviderDown
from models.database_errors import trouble_of
from web.problems import Problem, field_error

log = structlog.get_logger()
DATABASE_ERRORS = (DBAPIError, PoolTimeout)


def add_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(ClientDisconnect, on_disconnect)
    app.add_exception_handler(ProviderDown, on_outage)
    for kind in DATABASE_ERRORS:
        app.add_exception_handler(kind, on_database_error)
    app.add_exception_handler(Exception, on_crash)


async def on_http_error(_request: Request, error: Any) -> Response:
    """A problem of ours, or Starlette's answer to an unknown route or method."""
    if isinstance(error, Problem):
        return error.response()
    return Problem(error.status_code, f"{error.detail}.", headers=error.headers).response()


async def on_invalid_request(_request: Request, error: Any) -> Response:
    """A path, a query or a body that does not have the right form."""
    errors = [field_error(each) for each in error.errors()]
    return Problem(422, "The request does not have the right form.", errors).response()


async def on_outage(_request: Request, error: Exception) -> Response:
    """PostgreSQL or Redis is down; the sender may try again."""
    log.warning("cannot_answer", error=type(error).__name__)
    detail = "A server that this answer needs is away for the moment."
    return Problem(503, detail, headers={"Retry-After": "5"}).response()


async def on_database_error(request: Request, error: Exception) -> Response:
    """A database that is away or busy is an outage; any other error of it is a fault of ours."""
    if trouble_of(error) is None:
        raise error
    return await on_outage(request, error)


async def on_disconnect(_request: Request, _error: Exception) -> Response:
    """The client left in the middle of its request; it will not read this answer."""
    return Problem(400, "The request ended early.").response()


async def on_crash(_request: Request, _error: Exception) -> Response:
    """A fault of ours; the details are in the log alone."""
    return Problem(500, "Something went wrong on our side.").response()
