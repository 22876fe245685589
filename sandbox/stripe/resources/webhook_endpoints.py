"""Webhook endpoints of v1, which get snapshot events."""

import secrets

from sandbox.stripe.endpoints import PAGE, Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object, update_map
from sandbox.stripe.switches import VERSIONS

MAX_ENDPOINTS = 16
UPDATE = {
    "description": "str?",
    "disabled": "bool",
    "enabled_events[]": "event_type",
    "metadata": "map?",
    "url": "str",
}
CREATE = {
    "api_version": "|".join(VERSIONS),
    "description": "str?",
    "enabled_events[]!": "event_type",
    "metadata": "map?",
    "url!": "str",
}


def check_url(url: str) -> None:
    """Raises StripeError 400. In test mode Stripe takes http too."""
    if not url.startswith(("http://", "https://")):
        raise invalid("Invalid URL: An explicit scheme (such as https) must be provided.", "url")


@endpoint("POST", "/v1/webhook_endpoints", CREATE)
def create(call: Call) -> Object:
    """An endpoint; its secret is in this answer alone."""
    account = call.account
    check_url(call["url"])
    if len(account.of("webhook_endpoint")) >= MAX_ENDPOINTS:
        raise invalid(f"You have reached the maximum of {MAX_ENDPOINTS} test webhook endpoints.")
    secret = f"whsec_{secrets.token_hex(16)}"
    made = account.add(
        "webhook_endpoint",
        api_version=call["api_version"],
        description=call["description"],
        enabled_events=call["enabled_events"],
        metadata=dict(call["metadata"] or {}),
        status="enabled",
        url=call["url"],
        _secret=secret,
        _since=account.real_now(),
        _url=call["url"],
    )
    del made["secret"]
    return made | {"secret": secret}


@endpoint("GET", "/v1/webhook_endpoints/{id}")
def retrieve(call: Call) -> Object:
    return call.account.get("webhook_endpoint", call.id)


@endpoint("POST", "/v1/webhook_endpoints/{id}", UPDATE)
def update(call: Call) -> Object:
    """Everything but the version and the secret."""
    found = call.account.get("webhook_endpoint", call.id)
    if call["url"] is not None:
        check_url(call["url"])
    for name, value in call.params.items():
        if name == "metadata":
            update_map(found["metadata"], value)
        elif name == "disabled":
            found["status"] = "disabled" if value else "enabled"
        elif name != "expand":
            found[name] = None if value == "" else value
    found |= {"_url": found["url"], "_since": call.account.real_now()}
    return found


@endpoint("DELETE", "/v1/webhook_endpoints/{id}")
def delete(call: Call) -> Object:
    call.account.get("webhook_endpoint", call.id)
    del call.account.of("webhook_endpoint")[call.id]
    return {"id": call.id, "object": "webhook_endpoint", "deleted": True}


@endpoint("GET", "/v1/webhook_endpoints", PAGE)
def list_(call: Call) -> Object:
    return page_of(call, call.account.of("webhook_endpoint").values())
