from tests.learning.factories import csv, train


def test_a_solver_may_stop_before_it_converges_without_a_warning() -> None:
    rows = list(range(40))
    kinds = [f"kind {n * n % 7}" for n in rows]
    source = csv(**{f"modulo {d}": [n % d for n in rows] for d in range(2, 9)}, kind=kinds)
    trained = train(source, "kind", "logistic_regression", max_iter=10, C=10_000)
    assert trained.model["model"].n_iter_ == 10
