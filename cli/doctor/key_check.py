"""Checks a key by one request to its provider."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx

from cli.doctor.finding import Finding, Status
from errors import InsightsError, KeyRefused

TIMEOUT = 3.0  # seconds; nobody waits for a doctor, and a provider that is well is far quicker
KEY_REFUSED = (401, 403)
OTHER_HINT = (
    "Is its address right, and may this machine reach it? If so, it has an outage or is busy: "
    "try again later."
)
# A URL that is none, and answers of a form that the provider itself never gives.
UNEXPECTED = (
    httpx.HTTPError,
    httpx.InvalidURL,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)


def check_key(what: str, setting: str, hint: str, request: Callable[[], Finding]) -> Finding:
    """What `request` finds; where it fails, whether the provider refused the key in `setting`.

    `hint` says what to do about a refused key. No message of an unexpected error is shown:
    it may hold a secret.
    """
    try:
        return request()
    except httpx.HTTPStatusError as error:
        is_refused = error.response.status_code in KEY_REFUSED
        reason = str(error.response.status_code)
    except InsightsError as error:
        is_refused, reason = isinstance(error, KeyRefused), str(error).rstrip(".")
    except UNEXPECTED as error:
        is_refused, reason = False, type(error).__name__
    if is_refused:
        return Finding(what, Status.WRONG, f"{setting} is refused ({reason})", hint)
    return Finding(what, Status.HINT, f"cannot be checked now ({reason})", OTHER_HINT)


def call(method: str, url: str, path: str, **request: Any) -> httpx.Response:
    """One request to a provider. Raises HTTPStatusError or another error of UNEXPECTED."""
    with httpx.Client(base_url=url, timeout=TIMEOUT) as http:
        return http.request(method, path, **request).raise_for_status()


def origin(url: str) -> str:
    """Scheme, host and port of a URL, without any secret that it may hold. Raises ValueError."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"
