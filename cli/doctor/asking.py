"""Asking a provider: what an answer, or none, says of our key."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx

from cli.doctor.finding import Finding, Status
from errors import InsightsError, KeyRefused

PATIENCE = 3.0
OUR_KEY = (401, 403)
LATER = "Is its address right, and may this machine reach it? Else it is ill or busy: ask later."
# A URL that is none, and answers of a form that the provider's own never have.
STRANGE = (
    httpx.HTTPError,
    httpx.InvalidURL,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)


def ask(what: str, key: str, hint: str, look: Callable[[], Finding]) -> Finding:
    """What a look at a provider finds; `hint` tells what to do where it refuses the setting `key`.

    No secret is shown that an error may hold.
    """
    try:
        return look()
    except httpx.HTTPStatusError as error:
        is_refused = error.response.status_code in OUR_KEY
        why = str(error.response.status_code)
    except InsightsError as error:
        is_refused, why = isinstance(error, KeyRefused), str(error).rstrip(".")
    except STRANGE as error:
        is_refused, why = False, type(error).__name__
    if is_refused:
        return Finding(what, Status.WRONG, f"{key} is refused ({why})", hint)
    return Finding(what, Status.HINT, f"cannot be checked now ({why})", LATER)


def call(method: str, url: str, path: str, **request: Any) -> httpx.Response:
    """One request to a provider. Raises what `ask` understands, unless it succeeds."""
    with httpx.Client(base_url=url, timeout=PATIENCE) as http:
        return http.request(method, path, **request).raise_for_status()


def place(url: str) -> str:
    """Where a URL leads, without any secret that it may hold. Raises ValueError."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"
