"""What all of PostHog's endpoints share: how bodies are read, and the form of errors."""

import gzip
import json
import zlib
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

GZIP_MAGIC = b"\x1f\x8b"
ERROR_TYPES = {
    401: "authentication_error",
    404: "invalid_request",
    413: "payload_too_large",
    429: "throttled_error",
}
SERVER_ERROR = 500  # the first of these statuses


async def body_of(request: Request) -> dict[str, Any] | None:
    """The JSON object of a body, compressed or not; None where it is something else."""
    # By the content, not by Content-Encoding: SDKs differ in whether they send it.
    raw = await request.body()
    try:
        plain = gzip.decompress(raw) if raw.startswith(GZIP_MAGIC) else raw
        body = json.loads(plain)
    except (ValueError, OSError, EOFError, zlib.error):
        return None
    return body if isinstance(body, dict) else None


def error_response(status: int, detail: str) -> JSONResponse:
    """An error in PostHog's form."""
    fallback = "validation_error" if status < SERVER_ERROR else "server_error"
    return JSONResponse(
        {"type": ERROR_TYPES.get(status, fallback), "code": "invalid", "detail": detail}, status
    )
