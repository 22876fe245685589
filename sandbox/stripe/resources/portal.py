"""The customer portal: its configurations and sessions."""

from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.endpoints import PAGE, Call, endpoint
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object, update_map

PATH = "/v1/billing_portal"
CONFIGURATION = "billing_portal.configuration"
PRORATION = "always_invoice|create_prorations|none"
REASONS = (
    "customer_service|low_quality|missing_features|other|switched_service|too_complex|"
    "too_expensive|unused"
)
UPDATE = {
    "business_profile.headline": "str?",
    "business_profile.privacy_policy_url": "str",
    "business_profile.terms_of_service_url": "str",
    "default_return_url": "str?",
    "features.customer_update.allowed_updates": "list?",
    "features.customer_update.allowed_updates[]": "address|email|name|phone|shipping|tax_id",
    "features.customer_update.enabled": "bool",
    "features.invoice_history.enabled!": "bool",
    "features.payment_method_update.enabled!": "bool",
    "features.subscription_cancel.cancellation_reason.enabled!": "bool",
    "features.subscription_cancel.cancellation_reason.options[]": REASONS,
    "features.subscription_cancel.enabled": "bool",
    "features.subscription_cancel.mode": "at_period_end|immediately",
    "features.subscription_cancel.proration_behavior": PRORATION,
    "features.subscription_update.default_allowed_updates": "list?",
    "features.subscription_update.default_allowed_updates[]": "price|promotion_code|quantity",
    "features.subscription_update.enabled": "bool",
    "features.subscription_update.products": "list?",
    "features.subscription_update.products[].prices[]!": "str",
    "features.subscription_update.products[].product!": "str",
    "features.subscription_update.proration_behavior": PRORATION,
    "metadata": "map?",
    "name": "str?",
}
CREATE = UPDATE | {
    "features!": "object",
    "features.customer_update.enabled!": "bool",
    "features.subscription_cancel.cancellation_reason.options": "list?",
    "features.subscription_cancel.cancellation_reason.options[]!": REASONS,
    "features.subscription_cancel.enabled!": "bool",
    "features.subscription_update.enabled!": "bool",
    "metadata": "map",
}
DEFAULTS: dict[str, Any] = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "feedback_options": None, "options": []},
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_pause": {
        "duration": {"interval_options": [], "type": "indefinite"},
        "enabled": False,
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "products": None,
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}


def merged(base: Any, given: Any) -> Any:
    """Nested settings with what was given in place of what was there."""
    if not isinstance(base, dict) or not isinstance(given, dict):
        return [] if given == "" and isinstance(base, list) else given
    return base | {key: merged(base.get(key), each) for key, each in given.items()}


@endpoint("POST", f"{PATH}/configurations", CREATE)
def create_configuration(call: Call) -> Object:
    account = call.account
    features = merged(DEFAULTS, call["features"])
    complete_products(features)
    made = account.add(
        CONFIGURATION,
        active=True,
        business_profile=dict.fromkeys(("headline", "privacy_policy_url", "terms_of_service_url"))
        | (call["business_profile"] or {}),
        default_return_url=call["default_return_url"],
        features=features,
        is_default=not account.of(CONFIGURATION),
        login_page={"enabled": False, "url": None},
        metadata=dict(call["metadata"] or {}),
        name=call["name"],
        updated=account.now(),
    )
    account.emit(f"{CONFIGURATION}.created", made)
    return made


def complete_products(features: Object) -> None:
    for each in features["subscription_update"]["products"] or []:
        each["adjustable_quantity"] = {"enabled": False, "maximum": None, "minimum": 1}


@endpoint("GET", f"{PATH}/configurations/{{id}}")
def retrieve_configuration(call: Call) -> Object:
    return call.account.get(CONFIGURATION, call.id)


@endpoint("POST", f"{PATH}/configurations/{{id}}", UPDATE | {"active": "bool"})
def update_configuration(call: Call) -> Object:
    found = call.account.get(CONFIGURATION, call.id)
    with call.account.change(found, f"{CONFIGURATION}.updated"):
        for name in ("active", "default_return_url", "name"):
            if name in call.params:
                found[name] = call[name]
        found["business_profile"] |= call["business_profile"] or {}
        found["features"] = merged(found["features"], call["features"] or {})
        complete_products(found["features"])
        update_map(found["metadata"], call.params.get("metadata"))
    return found


@endpoint("GET", f"{PATH}/configurations", PAGE | {"active": "bool", "is_default": "bool"})
def list_configurations(call: Call) -> Object:
    rows = call.account.of(CONFIGURATION).values()
    return page_of(call, rows, active=call["active"], is_default=call["is_default"])


FLOWS = (
    "customer_update", "subscription_cancel", "subscription_pause", "subscription_update",
    "subscription_update_confirm",
)  # fmt: skip
SESSION = {
    "configuration": "str",
    "customer": "str",
    "flow_data.subscription_cancel.subscription!": "str",
    "flow_data.subscription_update.subscription!": "str",
    "flow_data.type!": "payment_method_update|subscription_cancel|subscription_update",
    "return_url": "str",
}


@endpoint("POST", f"{PATH}/sessions", SESSION)
def create_session(call: Call) -> Object:
    """The address of a customer's portal, valid for a short while."""
    account = call.account
    if call["customer"] is None:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = account.live("customer", call["customer"], "customer")
    configuration = configuration_of(account, call["configuration"])
    made = account.add(
        "billing_portal.session",
        configuration=configuration["id"],
        customer=customer["id"],
        locale=None,
        return_url=call["return_url"] or configuration["default_return_url"],
        url="",
        _clock=None,
    )
    made["url"] = f"{account.base_url}/portal/{made['id']}"
    made["flow"] = flow_of(account, call["flow_data"], configuration)
    return made


def configuration_of(account: Account, id_: str | None) -> Object:
    """Raises StripeError 400 where none is set up."""
    if id_ is not None:
        return account.get(CONFIGURATION, id_, "configuration")
    for each in account.of(CONFIGURATION).values():
        if each["is_default"]:
            return each
    raise StripeError(
        400,
        "You can't create a portal session in test mode until you save your customer portal "
        "settings in test mode.",
    )


def flow_of(account: Account, given: dict[str, Any] | None, configuration: Object) -> Object | None:
    """The one thing that a session is for. Raises StripeError 400 where it is switched off."""
    if given is None:
        return None
    kind = given["type"]
    if not configuration["features"][kind]["enabled"]:
        raise invalid(
            f"This session requires the {kind} feature, which is not enabled in the portal "
            "configuration.",
            "flow_data",
        )
    details = given.get(kind)
    if details is not None:
        account.get("subscription", details["subscription"], f"flow_data[{kind}][subscription]")
    flow: Object = dict.fromkeys(FLOWS)
    completion = {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"}
    extra = {"retention": None} if kind == "subscription_cancel" else {}
    return flow | {
        "after_completion": completion,
        "type": kind,
        kind: details and details | extra,
    }
