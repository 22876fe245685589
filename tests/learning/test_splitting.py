import pytest

from tests.learning.factories import csv, train


def test_a_class_with_a_single_row_is_trained_on_and_not_tested() -> None:
    kinds = ["cat", "dog"] * 14 + ["unicorn", "cat"]
    trained = train(csv(a=list(range(30)), kind=kinds), "kind", n_estimators=1)
    assert trained.classes == ("cat", "dog", "unicorn")


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_the_test_set_has_every_class(share: float) -> None:
    rows = list(range(100))
    kinds = ["rare" if n < share * 100 else "usual" for n in rows]
    trained = train(csv(size=rows, kind=kinds), "kind", n_estimators=5)
    assert set(trained.metrics) >= {"accuracy", "precision", "recall", "f1"}
    assert all(0 <= value <= 1 for value in trained.metrics.values())
