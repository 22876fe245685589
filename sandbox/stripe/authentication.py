"""Whose key a request carries, and what it may do."""

from starlette.requests import Request

from sandbox.authentication import accepts_key
from sandbox.stripe.account import Account
from sandbox.stripe.errors import StripeError

PREFIXES = ("sk_", "rk_")


def check_key(account: Account, request: Request) -> None:
    """Raises StripeError 401 or 403."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise StripeError(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    # A restricted or secret key of the other mode belongs to other data.
    of_mode = ("_live_" in key) == account.switches.livemode
    if not key.startswith(PREFIXES) or not accepts_key(key.rpartition("_")[2]) or not of_mode:
        raise StripeError(401, f"Invalid API Key provided: {key[:8]}****")
    denied = account.switches.denied
    path = request.url.path.removeprefix("/stripe")
    if key.startswith("rk_") and denied and path.startswith(denied):
        raise StripeError(
            403,
            f"The provided key '{key[:8]}****' does not have the required permissions for this "
            "endpoint on account.",
            code="more_permissions_required_for_application",
        )
