from typing import BinaryIO

from tests.learning.factories import train


def test_boosting_counts_its_trees_like_the_forest(flowers: BinaryIO) -> None:
    trained = train(flowers, "kind", "gradient_boosting", n_estimators=33)
    assert trained.model["model"].n_iter_ == 33


def test_a_forest_reports_every_tree(flowers: BinaryIO) -> None:
    reported: list[tuple[float, str]] = []
    train(flowers, "kind", n_estimators=10, on_progress=lambda *call: reported.append(call))
    assert reported[:2] == [(10.0, "Preparing the columns"), (15.0, "Growing tree 1 of 10")]
    assert (45.0, "Growing tree 5 of 10") in reported
    assert reported[-2:] == [(90.0, "Evaluating"), (100.0, "Finished")]
