"""Who may come in: whoever shows one of the keys of INSIGHTS_API_KEYS."""

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
    description="A key of `INSIGHTS_API_KEYS`, for servers only: it opens everything here.",
)


class ApiKeys:
    """The keys that open the door."""

    def __init__(self, keys: Iterable[SecretStr]) -> None:
        self.keys = [key.get_secret_value().encode() for key in keys]

    def accept(self, authorization: str | None) -> bool:
        """Whether an Authorization header shows a key, in a time that tells nothing of it."""
        scheme, _, given = (authorization or "").partition(" ")
        shown = given.strip().encode("latin-1")
        found = [compare_digest(shown, key) for key in self.keys]
        return scheme.lower() == "bearer" and any(found)


async def require_key(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
) -> None:
    """Let the request pass if it shows a key. Raises Problem 401."""
    shown = request.headers.get("authorization")
    keys: ApiKeys = request.app.state.door.keys
    if not keys.accept(shown):
        error = ', error="invalid_token"' if shown else ""
        challenge = {"WWW-Authenticate": f'Bearer realm="insights"{error}'}
        raise Problem(401, "Show a key: `Authorization: Bearer …`.", headers=challenge)


RequiresKey = Depends(require_key)
