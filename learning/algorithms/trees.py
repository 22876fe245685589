"""Tree ensembles: random forest and gradient boosting, grown in steps to report progress."""

from math import ceil

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from learning.algorithms.algorithm import Algorithm, Matrix
from learning.algorithms.hyperparameters import FloatRange, IntegerRange
from learning.progress import ReportFraction
from learning.splitting import SEED

# Each step bins the data anew: at 100,000 rows by 30 columns and 100 trees, 20 steps take 12 s
# and 100 steps 60 s. GradientBoosting*, which does not bin, takes 136 s.
BOOSTING_STEPS = 20


def _fit_forest(
    forest: BaseEstimator, features: Matrix, target: pd.Series, report: ReportFraction
) -> None:
    total = forest.n_estimators
    for tree in range(1, total + 1):
        report((tree - 1) / total, f"Growing tree {tree} of {total}")
        # warm_start: fit keeps the trees it has and grows those that are missing.
        forest.set_params(n_estimators=tree).fit(features, target)


def _fit_boosting(
    boosting: BaseEstimator, features: Matrix, target: pd.Series, report: ReportFraction
) -> None:
    total = boosting.max_iter
    step = ceil(total / BOOSTING_STEPS)
    for grown in range(0, total, step):
        report(grown / total, f"Growing tree {grown + 1} of {total}")
        boosting.set_params(max_iter=min(grown + step, total)).fit(features, target)


# scikit-learn calls the number of trees max_iter here; users set n_estimators for both algorithms.
def _boosting_classifier(n_estimators: int, **arguments: object) -> BaseEstimator:
    return HistGradientBoostingClassifier(max_iter=n_estimators, **arguments)


def _boosting_regressor(n_estimators: int, **arguments: object) -> BaseEstimator:
    return HistGradientBoostingRegressor(max_iter=n_estimators, **arguments)


RANDOM_FOREST = Algorithm(
    name="random_forest",
    estimators={
        "classification": RandomForestClassifier,
        "regression": RandomForestRegressor,
    },
    fixed={"random_state": SEED, "n_jobs": 1, "warm_start": True},
    hyperparameters={
        "n_estimators": IntegerRange(1, 1_000, default=100),
        "max_depth": IntegerRange(1, 64, default=None),
        "min_samples_split": IntegerRange(2, 1_000, default=2),
        "min_samples_leaf": IntegerRange(1, 1_000, default=1),
    },
    fit=_fit_forest,
)

GRADIENT_BOOSTING = Algorithm(
    name="gradient_boosting",
    estimators={
        "classification": _boosting_classifier,
        "regression": _boosting_regressor,
    },
    # Early stopping would make the number of trees, and so the progress, unknown.
    fixed={"random_state": SEED, "early_stopping": False, "warm_start": True},
    hyperparameters={
        "n_estimators": IntegerRange(1, 1_000, default=100),
        "learning_rate": FloatRange(0.001, 1.0, default=0.1),
        "max_depth": IntegerRange(1, 64, default=None),
        "max_leaf_nodes": IntegerRange(2, 1_024, default=31),
        "min_samples_leaf": IntegerRange(1, 1_000, default=20),
        "l2_regularization": FloatRange(0.0, 1_000.0, default=0.0),
    },
    fit=_fit_boosting,
)
