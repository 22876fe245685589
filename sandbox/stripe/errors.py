"""Errors of Stripe's API, in its envelope (https://docs.stripe.com/api/errors)."""

from typing import Any

from starlette.responses import JSONResponse


class StripeError(Exception):
    """Raised by an endpoint; `response` is what Stripe answers.

    `began` tells that the request had begun to act, as a declined card's has: only then does an
    idempotency key replay the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        began: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.began = began
        found = {key: value for key, value in more.items() if value is not None}
        self.error = {"type": kind, "message": message} | found

    @property
    def response(self) -> JSONResponse:
        return JSONResponse({"error": self.error}, self.status)


def invalid(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """A request that Stripe refuses as it stands."""
    return StripeError(400, message, param=param, code=code)


def missing(kind: str, id_: str, param: str = "id") -> StripeError:
    """An object that does not exist: 404 in the address, 400 in a parameter."""
    status = 404 if param == "id" else 400
    return StripeError(status, f"No such {kind}: '{id_}'", param=param, code="resource_missing")


def declined(intent: dict[str, Any] | None = None, code: str = "card_declined") -> StripeError:
    """A payment that the customer's bank refused."""
    return StripeError(
        402,
        "Your card was declined.",
        kind="card_error",
        began=True,
        code=code,
        decline_code="generic_decline" if code == "card_declined" else None,
        payment_intent=intent,
    )


def fault_response(status: int, message: str) -> JSONResponse:
    """The answer of a request that ran into a fault of the sandbox."""
    if status == 429:  # noqa: PLR2004 - the status that has a code of its own
        return StripeError(429, message, code="rate_limit").response
    kind = "api_error" if status >= 500 else "invalid_request_error"  # noqa: PLR2004
    return StripeError(status, message, kind=kind).response
