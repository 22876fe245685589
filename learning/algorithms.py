"""The algorithms on offer, and which one a person meant."""

from learning.algorithm import Algorithm
from learning.boosting import GRADIENT_BOOSTING
from learning.errors import UnknownAlgorithm
from learning.forest import RANDOM_FOREST
from learning.linear import LINEAR_REGRESSION, LOGISTIC_REGRESSION
from learning.target import ProblemType
from learning.wording import listed, shortened

ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        RANDOM_FOREST,
        GRADIENT_BOOSTING,
        LOGISTIC_REGRESSION,
        LINEAR_REGRESSION,
    )
}


def algorithm_called(name: str) -> Algorithm:
    """Return the algorithm of that name, or raise `UnknownAlgorithm`."""
    if name not in ALGORITHMS:
        raise UnknownAlgorithm(
            f"There is no algorithm '{shortened(name)}'. Choose one of: {listed(ALGORITHMS)}."
        )
    return ALGORITHMS[name]


def problem_type_for(algorithm: Algorithm, wish: str | None) -> ProblemType | None:
    """Return the problem type to solve, None where the data has to decide.

    Raises `UnknownAlgorithm` when the algorithm cannot solve what is wished for.
    """
    possible = list(algorithm.estimators)
    if wish is None:
        return possible[0] if len(possible) == 1 else None
    for problem_type in possible:
        if problem_type == wish:
            return problem_type
    raise UnknownAlgorithm(
        f"The algorithm '{algorithm.name}' cannot solve the problem type "
        f"'{shortened(wish)}', only {' or '.join(possible)}."
    )
