"""What Stripe's pages share."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sandbox.providers import providers_of
from sandbox.stripe.account import Account

environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
METHODS = (
    ("pm_card_visa", "Card that pays (4242)"),
    ("pm_card_chargeCustomerFail", "Card that is declined when charged (0341)"),
    ("pm_card_visa_chargeDeclined", "Card that is declined at once (0002)"),
    ("pm_card_authenticationRequired", "Card that asks to authenticate (3184)"),
    ("pm_card_createDispute", "Card whose payment is disputed (0259)"),
    ("pm_usBankAccount", "Bank debit, which comes days later"),
    ("pm_usBankAccount_failure", "Bank debit that fails days later"),
)


def money(cents: int | None) -> str:
    return f"${(cents or 0) / 100:,.2f}"


def terms(price: dict[str, Any]) -> str:
    """How often a price is paid, in words."""
    recurring = price["recurring"]
    if recurring is None:
        return "once"
    by_use = "by use, " if recurring["usage_type"] == "metered" else ""
    count = recurring["interval_count"]
    return f"{by_use}every {recurring['interval'] if count == 1 else count}"


def date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%-d %B %Y")


environment.filters |= {"date": date, "money": money, "terms": terms}


def page(name: str, title: str, status: int = 200, **data: Any) -> Response:
    return HTMLResponse(environment.get_template(name).render(title=title, **data), status)


def account_of(request: Request) -> Account:
    """The account, up to date, for a request to one of its pages."""
    account = providers_of(request).stripe
    account.base_url = f"{request.base_url}stripe"
    account.request_id = None
    account.tick()
    return account


def redirect(url: str) -> Response:
    return RedirectResponse(url, 303)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that are filled in."""
    return dict(parse_qsl((await request.body()).decode()))
