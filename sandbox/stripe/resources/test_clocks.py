"""Test clocks: the time of the customers that belong to them, moved by hand."""

from sandbox.stripe.account import Account
from sandbox.stripe.endpoints import PAGE, Call, endpoint
from sandbox.stripe.errors import invalid
from sandbox.stripe.lists import page_of
from sandbox.stripe.objects import Object

PATH = "/v1/test_helpers/test_clocks"
KIND = "test_helpers.test_clock"
KEPT = 30 * 86400  # seconds until Stripe deletes a clock
CUSTOMERS = 3  # a clock has at most so many (https://docs.stripe.com/billing/testing/test-clocks)
INTERVALS = 2  # a clock moves at most so many of its shortest billing intervals at once
SECONDS = {"day": 86400, "week": 7 * 86400, "month": 31 * 86400, "year": 366 * 86400}


@endpoint("POST", PATH, {"frozen_time!": "int", "name": "str"})
def create(call: Call) -> Object:
    now = call.account.real_now()
    made = call.account.add(
        KIND,
        created=now,
        deletes_after=now + KEPT,
        frozen_time=call["frozen_time"],
        name=call["name"],
        status="ready",
        status_details={},
    )
    call.account.emit(f"{KIND}.created", made)
    return made


@endpoint("GET", PATH + "/{id}")
def retrieve(call: Call) -> Object:
    return call.account.live(KIND, call.id)


@endpoint("GET", PATH, PAGE)
def list_(call: Call) -> Object:
    return page_of(call, call.account.of(KIND).values())


@endpoint("POST", PATH + "/{id}/advance", {"frozen_time!": "int"})
def advance(call: Call) -> Object:
    """Move a clock; the answer still says `advancing`, as Stripe's does."""
    account, clock, until = call.account, call.account.live(KIND, call.id), call["frozen_time"]
    if until <= clock["frozen_time"]:
        raise invalid("The clock can only be advanced to a later time.", "frozen_time")
    if until > clock["frozen_time"] + furthest(account, call.id):
        raise invalid(
            "The test clock cannot be advanced more than two intervals from its shortest "
            "subscription interval at once.",
            "frozen_time",
        )
    with account.unasked():
        account.emit(f"{KIND}.advancing", clock | {"status": "advancing"})
        move(account, clock, until)
        account.emit(f"{KIND}.ready", clock)
    answer = {
        "status": "advancing",
        "status_details": {"advancing": {"target_frozen_time": until}},
    }
    return clock | answer


def furthest(account: Account, clock: str) -> int:
    """How far a clock may move at once, in seconds."""
    intervals = [
        SECONDS[item["price"]["recurring"]["interval"]]
        * item["price"]["recurring"]["interval_count"]
        for subscription in account.of("subscription").values()
        if subscription["test_clock"] == clock and subscription["ended_at"] is None
        for item in subscription["items"]["data"]
    ]
    return INTERVALS * min(intervals, default=SECONDS["year"])


def move(account: Account, clock: Object, until: int) -> None:
    """Let everything that becomes due happen at its own time."""
    for due, action in account.timers.due(clock["id"], until):
        clock["frozen_time"] = max(due, clock["frozen_time"])
        action()
    clock["frozen_time"] = until


@endpoint("DELETE", PATH + "/{id}")
def delete(call: Call) -> Object:
    """Takes the clock's customers and all that is theirs with it."""
    account, clock = call.account, call.account.live(KIND, call.id)
    account.timers.heaps.pop(call.id, None)
    for rows in account.objects.values():
        for id_ in [key for key, row in rows.items() if row.get("test_clock") == call.id]:
            del rows[id_]
    account.emit(f"{KIND}.deleted", clock)
    clock["deleted"] = True
    return {"id": call.id, "object": KIND, "deleted": True}
