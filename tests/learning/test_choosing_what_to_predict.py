from collections.abc import Callable, Sequence
from io import BytesIO
from math import inf, nan
from typing import BinaryIO

import pytest

from learning import TooFewRows, Trained, UnknownTarget, UnreadableData, UnusableTarget

SOME = list(range(30))


def test_an_unknown_column_is_answered_with_the_known_ones(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained]
) -> None:
    with pytest.raises(UnknownTarget) as raised:
        learn(csv(a=SOME, b=SOME, c=SOME), "price")
    assert str(raised.value) == ("The file has no column 'price'. Its columns are: a, b, c.")


def test_a_wide_file_does_not_list_all_of_its_columns(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained]
) -> None:
    wide = csv(**{f"column_{n}": SOME for n in range(100)})
    with pytest.raises(UnknownTarget, match="column_19 and 80 more"):
        learn(wide, "price")


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
def test_a_column_that_teaches_nothing_says_why(
    csv: Callable[..., BinaryIO],
    learn: Callable[..., Trained],
    values: Sequence[object],
    problem_type: str | None,
    message: str,
) -> None:
    with pytest.raises(UnusableTarget, match=message):
        learn(csv(a=SOME, goal=values), "goal", problem_type=problem_type)


def test_a_hundred_and_one_classes_are_too_many(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained]
) -> None:
    rows = list(range(303))
    with pytest.raises(UnusableTarget, match="has 101 different values"):
        learn(csv(a=rows, goal=[f"g{n % 101}" for n in rows]), "goal")


@pytest.mark.parametrize("count", [0, 1, 9])
def test_fewer_than_ten_known_values_are_too_few(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained], count: int
) -> None:
    with pytest.raises(TooFewRows, match=f"Only {count} rows have a value in 'goal'"):
        learn(csv(a=SOME[:count], goal=SOME[:count]), "goal")


def test_a_file_with_nothing_to_learn_from_is_refused(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained]
) -> None:
    with pytest.raises(UnreadableData, match="no column with values besides 'goal'"):
        learn(csv(goal=SOME, empty=[None] * 30, endless=[inf] * 30), "goal")


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
def test_the_values_tell_the_problem_type(
    csv: Callable[..., BinaryIO],
    learn: Callable[..., Trained],
    values: Sequence[object],
    problem_type: str,
) -> None:
    trained = learn(csv(a=SOME, goal=values), "goal", n_estimators=1)
    assert trained.problem_type == problem_type


def test_an_algorithm_for_one_problem_type_decides_it(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained]
) -> None:
    trained = learn(csv(a=SOME, goal=[0, 1] * 15), "goal", "linear_regression")
    assert trained.problem_type == "regression"


def test_classes_are_named_as_in_the_file(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained]
) -> None:
    trained = learn(csv(a=SOME, goal=[1, 2, None] * 10), "goal", n_estimators=1)
    assert trained.classes == ("1", "2")


def test_a_class_seen_once_is_learnt_and_never_examined(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained]
) -> None:
    kinds = ["cat", "dog"] * 14 + ["unicorn", "cat"]
    trained = learn(csv(a=SOME, kind=kinds), "kind", n_estimators=1)
    assert trained.classes == ("cat", "dog", "unicorn")


def test_infinite_values_to_predict_are_left_out(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained]
) -> None:
    values = [*[n / 3 for n in range(27)], inf, -inf, 1e300]
    trained = learn(csv(a=SOME, goal=values), "goal", "linear_regression")
    assert trained.metrics["r2"] == pytest.approx(1.0, abs=0.01)


def test_ragged_lines_end_in_an_error_and_not_in_a_traceback(learn: Callable[..., Trained]) -> None:
    with pytest.raises(UnreadableData, match="Line 3"):
        learn(BytesIO(b"a,goal\n1,2\n1,2,3\n"), "goal")
