"""Random forest: many trees, grown one by one so that each is told."""

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from learning.algorithm import Algorithm, Matrix
from learning.hyperparameters import Whole
from learning.progress import Report
from learning.splitting import SEED


def _fit(forest: BaseEstimator, rows: Matrix, target: pd.Series, report: Report) -> None:
    total = forest.n_estimators
    for tree in range(1, total + 1):
        report((tree - 1) / total, f"Growing tree {tree} of {total}")
        forest.set_params(n_estimators=tree).fit(rows, target)


RANDOM_FOREST = Algorithm(
    name="random_forest",
    estimators={
        "classification": RandomForestClassifier,
        "regression": RandomForestRegressor,
    },
    fixed={"random_state": SEED, "n_jobs": 1, "warm_start": True},
    rules={
        "n_estimators": Whole(1, 1_000, default=100),
        "max_depth": Whole(1, 64, default=None),
        "min_samples_split": Whole(2, 1_000, default=2),
        "min_samples_leaf": Whole(1, 1_000, default=1),
    },
    fit=_fit,
)
