"""Authentication by bearer token: one of the API keys in INSIGHTS_API_KEYS."""

from collections.abc import Iterable
from hmac import compare_digest
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from web.problems import Problem

BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description="A key of `INSIGHTS_API_KEYS`, for servers only: it gives access to everything.",
)


class ApiKeys:
    """The accepted API keys; without any, every request is refused."""

    def __init__(self, keys: Iterable[SecretStr]) -> None:
        self.keys = [key.get_secret_value().encode() for key in keys]

    def accept(self, authorization: str | None) -> bool:
        """Whether an Authorization header has one of the keys."""
        scheme, _, token = (authorization or "").partition(" ")
        given = token.strip().encode("latin-1")
        # All keys are compared, each in constant time: the duration gives no hint of a key.
        matches = [compare_digest(given, key) for key in self.keys]
        return scheme.lower() == "bearer" and any(matches)


async def require_key(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
) -> None:
    """Let the request pass if it has an API key. Raises Problem 401."""
    authorization = request.headers.get("authorization")
    keys: ApiKeys = request.app.state.dependencies.api_keys
    if not keys.accept(authorization):
        error = ', error="invalid_token"' if authorization else ""
        challenge = {"WWW-Authenticate": f'Bearer realm="insights"{error}'}
        raise Problem(401, "Send an API key: `Authorization: Bearer …`.", headers=challenge)


RequiresKey = Depends(require_key)
