"""The thin client of the provider's double, as one in services/ would be."""

import os
from collections.abc import Mapping
from functools import cache
from uuid import UUID

import httpx

from errors import ProviderDown

URL = "CHAOS_PROVIDER_URL"
PATIENCE = 1.5


class Provider:
    """Does things outside, each under an idempotency key."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False)

    def do(self, handler: str, keys: Mapping[UUID, str]) -> None:
        """Do what these events ask for, each under its key. Raises ProviderDown."""
        calls = [{"event": str(event), "key": key} for event, key in keys.items()]
        try:
            answer = self.client.post("/effects", json={"handler": handler, "calls": calls})
        except httpx.TransportError as error:
            raise ProviderDown(f"The provider does not answer: {type(error).__name__}.") from error
        if answer.is_server_error:
            raise ProviderDown(f"The provider answers {answer.status_code}.")
        answer.raise_for_status()


@cache
def provider() -> Provider:
    """The client of this process, made at its first use."""
    return Provider(os.environ[URL])
