"""What every algorithm brings along."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from learning.hyperparameters import Rule
from learning.progress import Report
from learning.target import ProblemType

Matrix: TypeAlias = NDArray[np.float64]
Fit: TypeAlias = Callable[[BaseEstimator, Matrix, pd.Series, Report], None]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A way to learn: its estimators, the settings it allows and how it is fitted.

    `fixed` and the checked settings are the estimator's arguments. `fit` reports the
    share of its work done, from 0 to 1, and lets through what the report raises.
    """

    name: str
    estimators: Mapping[ProblemType, Callable[..., BaseEstimator]]
    fixed: Mapping[str, object]
    rules: Mapping[str, Rule]
    fit: Fit
