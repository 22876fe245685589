"""Calls to providers over HTTP, and the error that each kind of answer becomes."""

import re
from collections.abc import Container
from typing import Any

import httpx

from errors import KeyRefused, ProviderDown, ProviderLimited, ProviderRefused, ProviderUncertain
from services.answers import count_answer

TIMEOUT = httpx.Timeout(10, connect=3)  # seconds; Loops takes up to a few for an email
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
ADDRESS = re.compile(r"[^\s\"'<>]+@[^\s\"'<>]+")
TOO_MANY, KEY_REFUSED = 429, (401, 402, 403)
SERVER_ERROR, MAY_BE_DONE = 500, (408, 425)


class Api:
    """One provider's API: keeps connections, and never tries again by itself."""

    def __init__(self, name: str, url: str, headers: dict[str, str] | None = None) -> None:
        self.name = name
        self.http = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT)

    def call(
        self, method: str, path: str, *, also_ok: Container[int] = (), **request: Any
    ) -> httpx.Response:
        """Send a request; `also_ok` are statuses that mean success beside 2xx.

        Raises ProviderDown when nothing was done, ProviderUncertain when it may have been,
        ProviderRefused for what is wrong with the request.
        """
        try:
            answer = self.http.request(method, path, **request)
        except NOT_SENT as error:
            raise ProviderDown(f"{self.name} cannot be reached: {kind(error)}.") from error
        except httpx.TransportError as error:
            raise ProviderUncertain(f"{self.name} does not answer: {kind(error)}.") from error
        status = answer.status_code
        if answer.is_success or status in also_ok:
            count_answer()
            return answer
        if status == TOO_MANY:
            raise ProviderLimited(f"{self.name} answers 429: it is asked too often.")
        if status in KEY_REFUSED:
            raise KeyRefused(f"{self.name} answers {status}: is its key right, and paid for?")
        if answer.is_redirect:
            raise ProviderDown(f"{self.name} answers {status}: is its address right?")
        if status >= SERVER_ERROR or status in MAY_BE_DONE:
            raise ProviderUncertain(f"{self.name} answers {status}.")
        count_answer()
        raise ProviderRefused(f"{self.name} answers {status}: {reason(answer)}")

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


def kind(error: Exception) -> str:
    """An error by its type alone: its text may hold an address."""
    return type(error).__name__


def reason(answer: httpx.Response) -> str:
    """What a provider says is wrong, without any email address that it quotes."""
    try:
        body = answer.json()
    except ValueError:
        return "no reason"
    said = body.get("message") or body.get("detail") if isinstance(body, dict) else None
    return ADDRESS.sub("…", str(said or "no reason"))[:300]
