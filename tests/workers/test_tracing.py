"""Which failures are reported to Sentry, and what is said of them."""

from datetime import timedelta
from typing import Any

import pytest

from errors import ProviderBusy, ProviderDown, ProviderRefused
from events import TrainingRequested
from handlers import Failed, Reject, RetryLater
from models.deliveries.take import TakenDelivery
from runtime.assembly import Assembly
from services.sentry import Work
from tests.factories import training_event
from tests.fake_handlers import FakeEffect, external_handler
from workers.failure_policy import WorkerDied
from workers.tracing import report, work_of

HANDLER = external_handler(FakeEffect(), "emails", max_attempts=3)
WORK = Work(handler="emails", count=1, type="prediction.made", event_id="e", lease=1)

# error, attempts before it: is it reported, and as dead? None is not reported.
REPORTED: list[tuple[Exception, int, bool | None]] = [
    (ValueError("x"), 0, False),
    (ValueError("x"), 1, None),
    (ValueError("x"), 2, True),
    (Failed("x"), 0, False),
    (Reject("x"), 0, True),
    (Reject("x"), 1, True),
    (ProviderRefused("x"), 1, True),
    (WorkerDied("x"), 9, True),
    (RetryLater(timedelta(1)), 0, None),
    (ProviderDown("x"), 2, None),
    (ProviderBusy("x"), 0, None),
]


@pytest.fixture
def reports(assembly: Assembly, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any, bool]]:
    """What Sentry is given: work, error, and whether its delivery is dead."""
    found: list[tuple[Any, Any, bool]] = []
    monkeypatch.setattr(
        assembly.sentry, "failed", lambda work, error, *, dead: found.append((work, error, dead))
    )
    return found


@pytest.mark.parametrize(("error", "attempts", "dead"), REPORTED)
def test_the_first_failure_and_the_last_are_reported(
    error: Exception,
    attempts: int,
    dead: bool | None,
    assembly: Assembly,
    reports: list[tuple[Any, Any, bool]],
) -> None:
    report(assembly.sentry, HANDLER, WORK, error, attempts)

    assert reports == ([] if dead is None else [(WORK, error, dead)])


def test_of_an_event_only_ids_and_facts_of_its_training_are_sent() -> None:
    event = training_event(TrainingRequested, 0, target="the column of Ada")
    delivery = TakenDelivery(
        1, False, False, False, event.id, 9, None, 5, 0, 0, None, event.type, "{}"
    )

    work = work_of(HANDLER, delivery, event, 1, 9.0)

    assert (work.event_id, work.lease, work.sent_at) == (str(event.id), 5, 9.0)
    assert work.facts == {"training_id": "t-1", "dataset_id": "d", "algorithm": "random_forest"}
    assert "Ada" not in repr(work)
