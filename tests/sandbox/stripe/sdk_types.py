"""What the installed SDK says of Stripe's parameters and objects.

`python -m tests.sandbox.stripe.sdk_types` writes sandbox/stripe/shapes.json again.
"""

import ast
import builtins
import importlib
import inspect
import json
import re
import types
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe
from stripe import _event

SDK = Path(stripe.__file__).parent
SHAPES = Path(__file__).parents[3] / "sandbox" / "stripe" / "shapes.json"
# The objects whose nullable fields the double fills with null.
CLASSES = {
    "account": "Account",
    "balance_transaction": "BalanceTransaction",
    "billing.meter": "billing.Meter",
    "billing.meter_event": "billing.MeterEvent",
    "billing.meter_event_adjustment": "billing.MeterEventAdjustment",
    "billing.meter_event_summary": "billing.MeterEventSummary",
    "billing_portal.configuration": "billing_portal.Configuration",
    "billing_portal.session": "billing_portal.Session",
    "charge": "Charge",
    "checkout.session": "checkout.Session",
    "coupon": "Coupon",
    "customer": "Customer",
    "discount": "Discount",
    "dispute": "Dispute",
    "event": "Event",
    "invoice": "Invoice",
    "invoice_payment": "InvoicePayment",
    "invoiceitem": "InvoiceItem",
    "item": "LineItem",
    "line_item": "InvoiceLineItem",
    "payment_intent": "PaymentIntent",
    "payment_method": "PaymentMethod",
    "plan": "Plan",
    "price": "Price",
    "product": "Product",
    "promotion_code": "PromotionCode",
    "refund": "Refund",
    "setup_intent": "SetupIntent",
    "subscription": "Subscription",
    "subscription_item": "SubscriptionItem",
    "subscription_schedule": "SubscriptionSchedule",
    "test_helpers.test_clock": "test_helpers.TestClock",
    "webhook_endpoint": "WebhookEndpoint",
}
# A payment method has one of these kinds, under the kind's own name.
HAS_KINDS = {"payment_method"}


class Foreign(type):
    """The type of what an annotation names and its module does not hold: another object."""


class Names(dict[str, Any]):
    """The names of a module; one that it lacks stands for another object."""

    def __init__(self, module: types.ModuleType) -> None:
        super().__init__(vars(builtins) | vars(module))

    def __missing__(self, name: str) -> type:
        return Foreign(name, (), {})


@cache
def names_of(module: str) -> Names:
    return Names(importlib.import_module(module))


def resolved(annotation: Any, module: str) -> Any:
    """An annotation without forward references and without marks of being optional."""
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        annotation = eval(annotation, {}, names_of(module))  # noqa: S307 - the SDK's own text
        return resolved(annotation, module)
    if "NotRequired" in str(get_origin(annotation)):
        return resolved(get_args(annotation)[0], module)
    return annotation


def alternatives(annotation: Any, module: str) -> Iterator[Any]:
    """The members of a union, or the type alone."""
    found = resolved(annotation, module)
    if get_origin(found) in {Union, types.UnionType}:
        for each in get_args(found):
            yield from alternatives(each, module)
    else:
        yield found


@cache
def fields_of(cls: type) -> Mapping[str, Any]:
    """The annotated fields of an object or of a TypedDict, also those it inherits."""
    found: dict[str, Any] = {}
    for base in reversed(inspect.getmro(cls)):
        if base.__module__.startswith("stripe.") and base.__name__ != "StripeObject":
            found |= vars(base).get("__annotations__", {})
    return {name: each for name, each in found.items() if "ClassVar" not in str(each)}


def class_of(kind: str) -> type:
    found: Any = stripe
    for part in CLASSES[kind].split("."):
        found = getattr(found, part)
    assert isinstance(found, type)
    return found


def is_nullable(annotation: Any, module: str) -> bool:
    return type(None) in alternatives(annotation, module)


def blanks() -> dict[str, list[str]]:
    """The nullable fields of each object."""
    return {
        kind: []
        if kind in HAS_KINDS
        else sorted(
            name
            for name, each in fields_of(class_of(kind)).items()
            if name != "deleted" and is_nullable(each, class_of(kind).__module__)
        )
        for kind in sorted(CLASSES)
    }


def event_types() -> list[str]:
    """The types of snapshot events."""
    return sorted(get_args(resolved(fields_of(_event.Event)["type"], "stripe._event")))


def thin_event_types() -> list[str]:
    """The types of thin events."""
    text = "".join(path.read_text() for path in (SDK / "events").glob("*.py"))
    return sorted(set(re.findall(r'LOOKUP_TYPE = "([\w.\[\]]+)"', text)))


@cache
def requests() -> Mapping[tuple[str, str], type | None]:
    """The class of the parameters of each request that the SDK can send, by method and path."""
    found: dict[tuple[str, str], type | None] = {}
    for path in sorted(SDK.rglob("*_service.py")):
        module = ".".join(path.relative_to(SDK.parent).with_suffix("").parts)
        tree = ast.parse(path.read_text())
        imported = {
            alias.name: node.module
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                found |= request_of(node, imported, module)
    return found


def request_of(
    node: ast.FunctionDef, imported: Mapping[str, str], module: str
) -> dict[tuple[str, str], type | None]:
    """The request that a method of a service sends."""
    texts = [
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]
    paths = [each for each in texts if each.startswith(("/v1/", "/v2/"))]
    methods = [each.upper() for each in texts if each in {"get", "post", "delete"}]
    if not paths or not methods:
        return {}
    names = re.findall(r"\w+Params", ast.unparse(node.args))
    params = None
    if names:
        params = getattr(importlib.import_module(imported[names[0]]), names[0])
    return {(methods[0], re.sub(r"\{\w+\}", "{}", paths[0])): params}


def literals(annotation: Any) -> set[str]:
    return set(get_args(annotation)) if get_origin(annotation) is Literal else set()


def shapes() -> dict[str, Any]:
    return {
        "blanks": blanks(),
        "event_types": event_types(),
        "thin_event_types": thin_event_types(),
    }


if __name__ == "__main__":
    SHAPES.write_text(json.dumps(shapes(), indent=1) + "\n")
