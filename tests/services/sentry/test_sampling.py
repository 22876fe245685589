"""Which traces are sent is our choice, and the same in each of our processes."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import sentry_sdk

from services.sentry import Sentry
from settings import Settings
from tests.services.sentry.sandbox_process import close_sentry

NOWHERE = "http://key@127.0.0.1:1/1"
TRACES = [f"{number:032x}" for number in range(1, 1_001)]
IN_ANOTHER_PROCESS = """
from tests.services.sentry.test_sampling import taken
print(*sorted(taken(0.1, parent=0)))
"""


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    yield
    close_sentry()


def taken(rate: float, *, parent: int, dsn: str = NOWHERE) -> set[str]:
    """The traces that a process takes when a caller took all, or none."""
    Sentry(dsn, environment="test", release=None, traces=rate)
    return {trace for trace in TRACES if is_taken(trace, parent)}


def is_taken(trace: str, parent: int) -> bool:
    dice = f"sentry-sample_rand={0.999999 * (1 - parent):.6f},sentry-sample_rate={parent}"
    headers = {"sentry-trace": f"{trace}-{7:016x}-{parent}", "baggage": dice}
    with sentry_sdk.isolation_scope():
        return bool(sentry_sdk.start_transaction(sentry_sdk.continue_trace(headers)).sampled)


def test_none_are_taken_whatever_the_caller_decided() -> None:
    assert taken(0.0, parent=1) == set()


def test_all_are_taken_whatever_the_caller_decided() -> None:
    assert taken(1.0, parent=0) == set(TRACES)


def test_a_tenth_is_a_tenth_whatever_the_caller_decided() -> None:
    chosen = taken(0.1, parent=1)

    assert 70 <= len(chosen) <= 130
    assert taken(0.1, parent=0) == chosen


def test_a_trace_is_taken_by_all_processes_or_by_none() -> None:
    other = subprocess.check_output([sys.executable, "-c", IN_ANOTHER_PROCESS], text=True)

    assert set(other.split()) == taken(0.1, parent=1)


def test_a_higher_rate_takes_what_a_lower_one_does_and_more() -> None:
    assert taken(0.1, parent=0) < taken(0.5, parent=0)


def test_the_choice_cannot_be_foreseen_without_the_dsn() -> None:
    another = NOWHERE.replace("key", "another")

    assert taken(0.1, parent=1) != taken(0.1, parent=1, dsn=another)


@pytest.mark.parametrize(
    ("environment", "wanted", "share"),
    [
        ("development", None, 1.0),
        ("production", None, 0.1),
        ("development", 0.0, 0.0),
        ("production", 1.0, 1.0),
    ],
)
def test_all_are_taken_in_development_and_a_tenth_in_production_unless_set_otherwise(
    environment: str, wanted: float | None, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ENVIRONMENT", "SENTRY_TRACES_SAMPLE_RATE"):
        monkeypatch.delenv(name, raising=False)

    settings = Settings(_env_file=None, environment=environment, sentry_traces_sample_rate=wanted)

    assert settings.traces == share
