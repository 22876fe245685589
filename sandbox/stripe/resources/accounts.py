"""The account that a key belongs to."""

from sandbox.stripe.account import ACCOUNT_ID
from sandbox.stripe.endpoints import Call, endpoint
from sandbox.stripe.objects import Object, blank


@endpoint("GET", "/v1/account")
def retrieve(call: Call) -> Object:
    return blank("account") | {
        "id": ACCOUNT_ID,
        "business_type": "company",
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "payouts_enabled": True,
        "type": "standard",
    }
