"""Problem documents (RFC 9457): they name what is wrong and repeat no value that was sent."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import Response
from pydantic import BaseModel, Field
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

from errors import InsightsError

MEDIA_TYPE = "application/problem+json"
# Characters. A field's name is made of the sender's keys, and those may fill a whole body.
MAX_FIELD_NAME = 200
# pydantic error type → detail, where pydantic's own message speaks of Python.
DETAILS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this type of event",
    "dict_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "json_invalid": "is not JSON",
}


class FieldError(BaseModel):
    """One thing that is wrong: in which field, and of which event of a batch, from 0."""

    index: int | None = None
    field: str
    detail: str


class ProblemDocument(BaseModel):
    """What went wrong: `status` and `errors` are for a program, `detail` is for a reader."""

    type: str = "about:blank"
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    errors: list[FieldError] | None = None


class Problem(HTTPException, InsightsError):
    """Raised wherever a request cannot be answered as its sender wished."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.errors = list(errors)

    def response(self) -> Response:
        document = ProblemDocument(
            title=HTTPStatus(self.status_code).phrase,
            status=self.status_code,
            detail=self.detail,
            errors=self.errors or None,
        )
        body = document.model_dump_json(exclude_none=True)
        return Response(body, self.status_code, self.headers, MEDIA_TYPE)


def field_error(error: ErrorDetails, *, index: int | None = None) -> FieldError:
    """What pydantic found wrong, without the value that it found."""
    field = ".".join(map(str, error["loc"]))[:MAX_FIELD_NAME] or "event"
    return FieldError(index=index, field=field, detail=DETAILS.get(error["type"], error["msg"]))
