"""All algorithms by name, and which problem types each can solve."""

from learning.algorithms.algorithm import Algorithm
from learning.algorithms.linear import LINEAR_REGRESSION, LOGISTIC_REGRESSION
from learning.algorithms.trees import GRADIENT_BOOSTING, RANDOM_FOREST
from learning.errors import UnknownAlgorithm, listed, shortened
from learning.target import ProblemType

ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        RANDOM_FOREST,
        GRADIENT_BOOSTING,
        LOGISTIC_REGRESSION,
        LINEAR_REGRESSION,
    )
}


def algorithm_named(name: str) -> Algorithm:
    """Return the algorithm of that name. Raises `UnknownAlgorithm`."""
    if name not in ALGORITHMS:
        raise UnknownAlgorithm(
            f"There is no algorithm '{shortened(name)}'. Choose one of: {listed(ALGORITHMS)}."
        )
    return ALGORITHMS[name]


def problem_type_for(algorithm: Algorithm, requested: str | None) -> ProblemType | None:
    """Return the problem type to solve, None where it has to be inferred from the data.

    Raises `UnknownAlgorithm` when the algorithm cannot solve the requested one.
    """
    possible = list(algorithm.estimators)
    if requested is None:
        return possible[0] if len(possible) == 1 else None
    for problem_type in possible:
        if problem_type == requested:
            return problem_type
    raise UnknownAlgorithm(
        f"The algorithm '{algorithm.name}' cannot solve the problem type "
        f"'{shortened(requested)}', only {' or '.join(possible)}."
    )
