"""The client of the provider's double, as one in services/ would be."""

import os
from collections.abc import Mapping
from functools import cache
from uuid import UUID

import httpx

from errors import ProviderDown

PROVIDER_URL = "CHAOS_PROVIDER_URL"  # environment variable with the double's address
TIMEOUT = 1.5  # s; shorter than the double hangs, and than the shortest lease
PATIENT_TIMEOUT = 10.0  # s; longer than the double takes when it is slow


class ProviderClient:
    """Asks the provider for effects, each under an idempotency key."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, trust_env=False)

    def call(self, handler: str, keys: Mapping[UUID, str], timeout: float = TIMEOUT) -> None:
        """Ask for the effect of each event under its key, in one request. Raises ProviderDown.

        `timeout` is in seconds.
        """
        calls = [{"event": str(event), "key": key} for event, key in keys.items()]
        try:
            body = {"handler": handler, "calls": calls}
            answer = self.http.post("/effects", json=body, timeout=timeout)
        except httpx.TransportError as error:
            raise ProviderDown(f"The provider does not answer: {type(error).__name__}.") from error
        if answer.is_server_error:
            raise ProviderDown(f"The provider answers {answer.status_code}.")
        answer.raise_for_status()


@cache
def provider() -> ProviderClient:
    """The client of this process, made at its first use."""
    return ProviderClient(os.environ[PROVIDER_URL])
