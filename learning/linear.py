"""Linear models: a line through amounts, and its kin for classes."""

import warnings

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackContext
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from learning.algorithm import Algorithm, Matrix
from learning.hyperparameters import Real, Whole
from learning.progress import Report
from learning.splitting import SEED

HALFWAY = 20


class _EachRound:
    """A callback of scikit-learn (`sklearn.callback.FitCallback`, 1.9)."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def setup(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Do nothing; the protocol asks for it."""

    def teardown(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Do nothing; the protocol asks for it."""

    def on_fit_task_begin(self, _: BaseEstimator, context: CallbackContext) -> None:
        """Report the round that begins; how many there will be nobody knows."""
        if context.parent is not None:
            done = context.task_id
            share = done / (done + HALFWAY)
            self._report(share, f"Adjusting the weights, round {done + 1}")

    def on_fit_task_end(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Do nothing; the protocol asks for it."""


def _fit_in_rounds(model: BaseEstimator, rows: Matrix, target: pd.Series, report: Report) -> None:
    model.set_callbacks(_EachRound(report))
    with warnings.catch_warnings():
        # To stop at max_iter is the person's wish; the metrics show what it costs.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows, target)
    model.set_callbacks()


def _fit_at_once(model: BaseEstimator, rows: Matrix, target: pd.Series, report: Report) -> None:
    report(0.0, f"Fitting a line to {len(target):,} rows")
    model.fit(rows, target)


LOGISTIC_REGRESSION = Algorithm(
    name="logistic_regression",
    estimators={"classification": LogisticRegression},
    fixed={"random_state": SEED},
    rules={
        "C": Real(0.0001, 10_000.0, default=1.0),
        "max_iter": Whole(10, 10_000, default=1_000),
    },
    fit=_fit_in_rounds,
)

LINEAR_REGRESSION = Algorithm(
    name="linear_regression",
    estimators={"regression": Ridge},
    fixed={"random_state": SEED},
    rules={"alpha": Real(0.000_001, 1_000_000.0, default=1.0)},
    fit=_fit_at_once,
)
