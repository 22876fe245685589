"""What an algorithm consists of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from learning.algorithms.hyperparameters import Range
from learning.progress import ReportFraction
from learning.target import ProblemType

Matrix: TypeAlias = NDArray[np.float64]
Fit: TypeAlias = Callable[[BaseEstimator, Matrix, pd.Series, ReportFraction], None]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A learning algorithm: an estimator per problem type, and how to fit it.

    An estimator's arguments are `fixed` and a value for each of `hyperparameters`.
    `fit(estimator, features, target, report)` fits it in place, reports the fraction done
    (0 to 1) before each step, and lets through what `report` raises.
    """

    name: str
    estimators: Mapping[ProblemType, Callable[..., BaseEstimator]]
    fixed: Mapping[str, object]
    hyperparameters: Mapping[str, Range]
    fit: Fit
