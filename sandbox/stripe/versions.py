"""Objects as older versions of the API showed them (https://docs.stripe.com/changelog).

Objects are kept in the shape of the current version; each step takes one version back.
"""

from typing import Any

from sandbox.stripe.objects import Object
from sandbox.stripe.switches import CURRENT_VERSION

BASIL = "2025-04-30.basil"
# What came after basil, by kind.
SINCE_BASIL = {
    "checkout.session": (
        "allowed_payment_method_types", "branding_settings", "excluded_payment_method_types",
        "integration_identifier", "managed_payments", "name_collection", "origin_context",
    ),
    "customer": ("business_name", "individual_name", "customer_account"),
    "invoice": ("amount_paid_off_stripe", "customer_account", "status_details"),
    "payment_intent": (
        "allowed_payment_method_types", "customer_account", "hooks", "managed_payments",
        "payment_details",
    ),
    "subscription": (
        "billing_mode", "billing_schedules", "customer_account", "managed_payments",
        "presentment_details", "status_details",
    ),
    "subscription_item": ("billed_until", "current_trial"),
    "subscription_schedule": ("billing_mode", "customer_account", "pause_schedules"),
}  # fmt: skip


def rendered(value: Any, version: str) -> Any:
    """A value, with all objects inside it, in the shape of a version."""
    if version == CURRENT_VERSION:
        return value
    if isinstance(value, list):
        return [rendered(each, version) for each in value]
    if not isinstance(value, dict):
        return value
    older = to_basil(value)
    if version != BASIL:
        older = STEPS.get(str(older.get("object")), unchanged)(older)
    return {key: rendered(each, version) for key, each in older.items()}


def to_basil(value: Object) -> Object:
    found = dict(value)
    for name in SINCE_BASIL.get(str(found.get("object")), ()):
        found.pop(name, None)
    if found.get("object") == "discount" and isinstance(found.get("source"), dict):
        found["coupon"] = found.pop("source")["coupon"]
    if found.get("object") == "promotion_code" and isinstance(found.get("promotion"), dict):
        found["coupon"] = found.pop("promotion")["coupon"]
    if found.get("ui_mode") == "hosted_page":
        found["ui_mode"] = "hosted"
    return found


def unchanged(value: Object) -> Object:
    return value


def old_subscription(found: Object) -> Object:
    """Periods stood on the subscription, and a single item's plan too."""
    items = found.get("items")
    if isinstance(items, dict) and items["data"]:
        first = items["data"][0]
        for name in ("current_period_start", "current_period_end"):
            if name in first:
                found[name] = first[name]
        alone = len(items["data"]) == 1
        found["plan"] = first.get("plan") if alone else None
        found["quantity"] = first.get("quantity") if alone else None
    if "discounts" in found:
        discounts = found.pop("discounts")
        found["discount"] = discounts[0] if discounts else None
    return found


def old_item(found: Object) -> Object:
    found.pop("current_period_start", None)
    found.pop("current_period_end", None)
    return found


def old_invoice(found: Object) -> Object:
    """The subscription and the charge stood on the invoice itself."""
    if "status" in found:
        found["paid"] = found["status"] == "paid"
    if "lines" in found:
        details = (found.get("parent") or {}).get("subscription_details") or {}
        found["subscription"] = details.get("subscription")
        found["charge"] = found.get("_charge")
        found["payment_intent"] = found.get("_intent")
        found["paid_out_of_band"] = bool(found.get("_out_of_band"))
        found["tax"] = None
    for name in ("parent", "payments", "confirmation_secret"):
        found.pop(name, None)
    return found


def old_line(found: Object) -> Object:
    details = (found.pop("parent", None) or {}).get("subscription_item_details") or {}
    price = found.pop("_price", None)
    found.pop("pricing", None)
    return found | {
        "price": price,
        "proration": details.get("proration", False),
        "subscription": details.get("subscription"),
        "subscription_item": details.get("subscription_item"),
        "type": "subscription" if details else "invoiceitem",
    }


def old_charge(found: Object) -> Object:
    if "id" in found:
        found["invoice"] = found.get("_invoice")
    return found


STEPS = {
    "charge": old_charge,
    "invoice": old_invoice,
    "line_item": old_line,
    "payment_intent": old_charge,
    "subscription": old_subscription,
    "subscription_item": old_item,
}
