"""Targets, and what a figure says of its own."""

import pytest

from benchmarks.figures import Figure, Target, at_least, at_most, percentile


@pytest.mark.parametrize(
    ("target", "value", "ok"),
    [
        (at_least(20, 30), 20, True),
        (at_least(20, 30), 19.9, False),
        (at_most(12), 12, True),
        (at_most(12), 12.1, False),
        (None, 1, None),
    ],
)
def test_a_figure_knows_whether_it_meets_its_target(
    target: Target | None, value: float, ok: bool | None
) -> None:
    assert Figure("drain", "speed", value, "×", target).ok is ok


def test_a_target_reads_as_a_bound() -> None:
    assert str(at_least(0.4, 0.6)) == "≥ 0.4 (aim 0.6)"
    assert str(at_most(5_000)) == "≤ 5,000"


def test_percentiles_lie_between_the_values() -> None:
    values = [float(each) for each in range(1, 102)]

    assert percentile(values, 50) == 51
    assert percentile(values, 99) == 100
