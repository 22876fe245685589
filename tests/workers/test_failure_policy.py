"""The failure policy as a table, and how errors are worded for `last_error`."""

from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError

from errors import ProviderBusy, ProviderRefused
from events import PredictionMade
from handlers import Failed, Reject, RetryLater
from models.deliveries.failures import Failure
from models.deliveries.lease import Lease
from workers.failure_policy import (
    BUSY_FOR,
    LONGEST_ERROR,
    WorkerDied,
    describe,
    failure_of,
    unreadable_fields,
)

LEASE = Lease(UUID(int=0), 3)
HOUR = timedelta(hours=1)
# error: (attempts it costs, is it dead, due after how long; None is the back-off)
POLICY: dict[str, tuple[Exception, int, bool, timedelta | None]] = {
    "the handler fails": (ValueError("x"), 1, False, None),
    "one event of a batch fails": (Failed("no such user"), 1, False, None),
    "the handler rejects it": (Reject("no such template"), 1, True, None),
    "the provider refuses it": (ProviderRefused("no address"), 1, True, None),
    "the handler puts it off": (RetryLater(HOUR, "the user sleeps"), 0, False, HOUR),
    "its process died each time": (WorkerDied("no sign of life"), 0, True, None),
    "the throttle is full": (ProviderBusy("too much at once"), 0, False, BUSY_FOR),
}


@pytest.mark.parametrize(("error", "costs", "dead", "after"), POLICY.values(), ids=POLICY.keys())
def test_each_error_has_its_price(
    error: Exception, costs: int, dead: bool, after: timedelta | None
) -> None:
    assert failure_of(LEASE, error) == Failure(LEASE, describe(error), costs, dead, after)


def test_our_own_errors_are_quoted_but_not_without_end() -> None:
    assert describe(Reject("no such template")) == "no such template"
    assert describe(Reject("x" * 9_999)) == "x" * LONGEST_ERROR


def test_other_errors_are_named_by_type_and_place_without_their_message() -> None:
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int("ada@example.com")

    described = describe(caught.value)

    assert described.startswith("ValueError at test_failure_policy.py:")
    assert "ada" not in described
    assert describe(ValueError("never raised")) == "ValueError"


def test_fields_that_do_not_fit_are_named_without_their_values() -> None:
    with pytest.raises(ValidationError) as caught:
        PredictionMade.restore(['{"model_id": "the secret of Ada", "prediction_count": -1}'])

    named = unreadable_fields(caught.value)

    assert "model_id" in named
    assert "prediction_count" in named
    assert "user_id: Field required" in named
    assert "secret" not in named
