"""Throughput during a fault is compared handler by handler, or it is said why it cannot be."""

import pytest

from benchmarks.chaos.deliveries import Counts
from benchmarks.chaos.throughput import Throughput, Window, throughput


def window(seconds: float, **done: int) -> Window:
    """Counts at the ends of so many seconds, in which so much was done."""
    nothing: dict[str, int] = {}
    first = Counts(100.0, 1000, dict.fromkeys(done, 7), nothing, nothing)
    last = Counts(
        100.0 + seconds, 1060, {name: 7 + n for name, n in done.items()}, nothing, nothing
    )
    return first, last


def test_the_ratio_is_that_of_the_handler_that_fared_worst() -> None:
    measured = throughput(
        "Redis away",
        ["cache"],
        window(6, usage=600, rows=60, cache=60),
        window(12, usage=1200, rows=60, cache=0),
    )

    assert measured == Throughput(
        "Redis away",
        before=110.0,
        during=105.0,
        ratio=0.5,
        handler="rows",
        window=12.0,
        published=5.0,
    )
    assert measured.is_too_low


def test_a_handler_that_the_fault_concerns_or_that_had_little_to_do_is_not_counted() -> None:
    before = window(6, usage=60, call=60, emails=29)

    measured = throughput("provider slow", ["call"], before, window(6, usage=48, call=0, emails=0))

    assert (measured.ratio, measured.handler) == (0.8, "usage")
    assert not measured.is_too_low


@pytest.mark.parametrize(
    ("concerned", "before", "during", "unknown"),
    [
        ((), window(6, usage=60), window(4.9, usage=60), "4.9 s are too short to tell"),
        ((), window(4.9, usage=60), window(6, usage=60), "6.0 s are too short to tell"),
        (("usage",), window(6, usage=60), window(6, usage=60), "no handler had enough to do"),
    ],
)
def test_where_there_is_no_fair_figure_none_is_given(
    concerned: tuple[str, ...], before: Window, during: Window, unknown: str
) -> None:
    measured = throughput("worker killed", concerned, before, during)

    assert measured.ratio is None
    assert measured.unknown == unknown
    assert not measured.is_too_low
