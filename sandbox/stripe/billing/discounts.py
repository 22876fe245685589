"""Coupons and promotion codes as discounts of a subscription, a session or an invoice."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.stripe.account import Account
from sandbox.stripe.billing.periods import after
from sandbox.stripe.errors import invalid
from sandbox.stripe.objects import Object

MONTH = {"interval": "month", "interval_count": 1}


def chosen(
    account: Account, given: Sequence[dict[str, Any]], customer: Object | None
) -> list[tuple[Object, Object | None]]:
    """The coupons that a request names, each with its promotion code. Raises StripeError 400."""
    found: list[tuple[Object, Object | None]] = []
    for each in given:
        code = None
        if each.get("discount"):
            kept = account.get("discount", each["discount"], "discounts")
            coupon_id = kept["source"]["coupon"]
        elif each.get("promotion_code"):
            code = account.get("promotion_code", each["promotion_code"], "promotion_code")
            check_code(account, code, customer)
            coupon_id = code["promotion"]["coupon"]
        else:
            coupon_id = each["coupon"]
        coupon = account.live("coupon", coupon_id, "coupon")
        if not coupon["valid"] and not each.get("discount"):
            raise invalid(f"Coupon expired: {coupon_id}", "coupon", "coupon_expired")
        found.append((coupon, code))
    return found


def check_code(account: Account, code: Object, customer: Object | None) -> None:
    """Raises StripeError 400 where a promotion code cannot be used."""
    expired = code["expires_at"] is not None and code["expires_at"] <= account.time_of(customer)
    used_up = code["max_redemptions"] is not None and (
        code["times_redeemed"] >= code["max_redemptions"]
    )
    if not code["active"] or expired or used_up:
        raise invalid("This promotion code is expired or inactive.", "promotion_code")
    if code["customer"] is not None and (customer is None or customer["id"] != code["customer"]):
        raise invalid("This promotion code cannot be redeemed by this customer.", "promotion_code")
    paid = customer is not None and any(
        charge["customer"] == customer["id"] and charge["paid"]
        for charge in account.of("charge").values()
    )
    if code["restrictions"]["first_time_transaction"] and paid:
        raise invalid(
            "This promotion code cannot be redeemed because the associated customer has prior "
            "transactions.",
            "promotion_code",
        )


def apply(
    account: Account, coupons: Sequence[tuple[Object, Object | None]], customer: Object, **of: Any
) -> list[str]:
    """Redeem coupons for what `of` names; the ids of the discounts."""
    ids: list[str] = []
    for coupon, code in coupons:
        start = account.time_of(customer)
        end = None
        if coupon["duration"] == "repeating":
            end = after(start, MONTH, coupon["duration_in_months"])
        made = account.add(
            "discount",
            customer,
            customer=customer["id"],
            end=end,
            promotion_code=code and code["id"],
            source={"type": "coupon", "coupon": coupon["id"], "_coupon": coupon},
            start=start,
            _clock=customer["test_clock"],
            _coupon=coupon,
            **of,
        )
        del made["created"], made["livemode"]
        ids.append(made["id"])
        for each in (coupon, code):
            if each is not None:
                each["times_redeemed"] += 1
        if coupon["max_redemptions"] == coupon["times_redeemed"]:
            coupon["valid"] = False
    return ids


def amount_off(coupon: Object, amount: int) -> int:
    """How much a coupon takes from an amount, in cents."""
    if coupon["amount_off"] is not None:
        return int(min(amount, coupon["amount_off"]))
    share = Decimal(str(coupon["percent_off"])) / 100
    return int((amount * share).quantize(Decimal(1), ROUND_HALF_UP))


def in_force(account: Account, ids: Sequence[str], at: int) -> list[Object]:
    """The discounts that hold at a time."""
    found = [account.of("discount")[each] for each in ids]
    return [each for each in found if each["end"] is None or each["end"] > at]
