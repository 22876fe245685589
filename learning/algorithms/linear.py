"""Linear models: ridge regression, and logistic regression for classes."""

import warnings

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackContext
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from learning.algorithms.algorithm import Algorithm, Matrix
from learning.algorithms.hyperparameters import FloatRange, IntegerRange
from learning.progress import ReportFraction
from learning.splitting import SEED

# Iterations after which 50% are reported. The solver stops when it converges, so the total is
# unknown; n / (n + 20) always rises and never reaches the end.
ITERATIONS_AT_HALF = 20


class _IterationReporter:
    """Reports each iteration of a solver (protocol `sklearn.callback.FitCallback`, 1.9)."""

    def __init__(self, report: ReportFraction) -> None:
        self._report = report

    def setup(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Do nothing; the protocol asks for it."""

    def teardown(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Do nothing; the protocol asks for it."""

    def on_fit_task_begin(self, _: BaseEstimator, context: CallbackContext) -> None:
        # The root task is the whole fit; its children are the iterations.
        if context.parent is not None:
            done = context.task_id
            fraction = done / (done + ITERATIONS_AT_HALF)
            self._report(fraction, f"Adjusting the weights, round {done + 1}")

    def on_fit_task_end(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Do nothing; the protocol asks for it."""


def _fit_iteratively(
    model: BaseEstimator, features: Matrix, target: pd.Series, report: ReportFraction
) -> None:
    model.set_callbacks(_IterationReporter(report))
    with warnings.catch_warnings():
        # To stop at max_iter is the user's choice; the metrics show what it costs.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features, target)
    # A callback holds the caller's function, which must not be saved with the model.
    model.set_callbacks()


def _fit_directly(
    model: BaseEstimator, features: Matrix, target: pd.Series, report: ReportFraction
) -> None:
    report(0.0, f"Fitting a line to {len(target):,} rows")
    model.fit(features, target)


LOGISTIC_REGRESSION = Algorithm(
    name="logistic_regression",
    estimators={"classification": LogisticRegression},
    fixed={"random_state": SEED},
    hyperparameters={
        "C": FloatRange(0.0001, 10_000.0, default=1.0),
        "max_iter": IntegerRange(10, 10_000, default=1_000),
    },
    fit=_fit_iteratively,
)

LINEAR_REGRESSION = Algorithm(
    name="linear_regression",
    # Ridge: plain least squares has no unique solution where features depend on each other, as
    # one-hot columns do.
    estimators={"regression": Ridge},
    fixed={"random_state": SEED},
    hyperparameters={"alpha": FloatRange(0.000_001, 1_000_000.0, default=1.0)},
    fit=_fit_directly,
)
