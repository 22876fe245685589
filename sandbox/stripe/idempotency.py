"""Idempotency keys of v1 (https://docs.stripe.com/api/idempotent_requests)."""

from dataclasses import dataclass
from typing import Any

from sandbox.stripe.errors import StripeError, invalid

KEPT_SECONDS = 24 * 3600  # Stripe keeps a key at least so long
MAX_LENGTH = 255  # characters


@dataclass
class Kept:
    """The request under a key and, once it ended, its answer."""

    request: tuple[Any, ...]
    expires: int
    status: int = 0
    body: bytes = b""
    request_id: str = ""

    @property
    def ended(self) -> bool:
        return self.status != 0


class Keys:
    """The keys of the last day."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}

    def begin(self, key: str, request: tuple[Any, ...], now: int) -> Kept | None:
        """Take a key for a request, or find the answer under it. Raises StripeError 400 or 409."""
        if len(key) > MAX_LENGTH:
            raise invalid(f"Idempotency keys have up to {MAX_LENGTH} characters.")
        found = self.kept.get(key)
        if found is None or found.expires <= now:
            self.kept[key] = Kept(request, now + KEPT_SECONDS)
            return None
        if found.request != request:
            raise StripeError(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                kind="idempotency_error",
            )
        if not found.ended:
            raise StripeError(
                409,
                "There is currently another in-progress request using this Idempotent Key (that "
                f"probably means you submitted twice): {key}. Please try again later.",
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
        return found

    def end(self, key: str, status: int, body: bytes, request_id: str) -> None:
        """Keep the answer under a key."""
        kept = self.kept[key]
        kept.status, kept.body, kept.request_id = status, body, request_id

    def drop(self, key: str) -> None:
        """Forget a key whose request was refused before it began to act."""
        self.kept.pop(key, None)
