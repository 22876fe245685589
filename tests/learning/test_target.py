from collections.abc import Sequence
from math import inf, nan

import pytest

from learning import TooFewRows, UnknownTarget, UnusableTarget
from tests.learning.factories import csv, train

SOME = list(range(30))


def test_an_unknown_column_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownTarget) as raised:
        train(csv(a=SOME, b=SOME, c=SOME), "price")
    assert str(raised.value) == ("The file has no column 'price'. Its columns are: a, b, c.")


def test_a_wide_file_does_not_list_all_of_its_columns() -> None:
    wide = csv(**{f"column_{n}": SOME for n in range(100)})
    with pytest.raises(UnknownTarget, match="column_19 and 80 more"):
        train(wide, "price")


@pytest.mark.parametrize(
    ("values", "problem_type", "message"),
    [
        ([None] * 30, None, "has no values"),
        (["same"] * 30, None, "Every row has the same value"),
        ([1.0] * 29 + [nan], "regression", "Every row has the same value"),
        ([*SOME[:29], "cheap"], "regression", "not numbers, such as 'cheap'"),
        (["yes", "no"] * 15, "regression", "not numbers, such as 'yes'"),
        ([f"id-{n}" for n in SOME], None, "fewer than two values appear more than"),
        ([n // 2 for n in SOME], "classification", "15 different values in 30 rows"),
        (["a"] * 29 + ["b"], None, "fewer than two values appear more than once"),
    ],
)
def test_an_unusable_target_is_refused_with_the_reason(
    values: Sequence[object],
    problem_type: str | None,
    message: str,
) -> None:
    with pytest.raises(UnusableTarget, match=message):
        train(csv(a=SOME, goal=values), "goal", problem_type=problem_type)


def test_a_hundred_and_one_classes_are_too_many() -> None:
    rows = list(range(303))
    with pytest.raises(UnusableTarget, match="has 101 different values"):
        train(csv(a=rows, goal=[f"g{n % 101}" for n in rows]), "goal")


@pytest.mark.parametrize("count", [0, 1, 9])
def test_fewer_than_ten_known_values_are_too_few(count: int) -> None:
    with pytest.raises(TooFewRows, match=f"Only {count} rows have a value in 'goal'"):
        train(csv(a=SOME[:count], goal=SOME[:count]), "goal")


@pytest.mark.parametrize(
    ("values", "problem_type"),
    [
        (["yes", "no"] * 15, "classification"),
        ([True, False] * 15, "classification"),
        ([True, False, None] * 10, "classification"),
        ([0, 1, 2] * 10, "classification"),
        ([0.0, 1.0, nan] * 10, "classification"),
        (SOME, "regression"),
        ([n / 7 for n in SOME], "regression"),
        ([0.5, 1.5] * 15, "regression"),
    ],
)
def test_the_problem_type_is_inferred_from_the_values(
    values: Sequence[object],
    problem_type: str,
) -> None:
    trained = train(csv(a=SOME, goal=values), "goal", n_estimators=1)
    assert trained.problem_type == problem_type


def test_classes_are_named_as_in_the_file() -> None:
    trained = train(csv(a=SOME, goal=[1, 2, None] * 10), "goal", n_estimators=1)
    assert trained.classes == ("1", "2")


def test_rows_with_an_infinite_target_are_left_out() -> None:
    values = [*[n / 3 for n in range(27)], inf, -inf, 1e300]
    trained = train(csv(a=SOME, goal=values), "goal", "linear_regression")
    assert trained.metrics["r2"] == pytest.approx(1.0, abs=0.01)
