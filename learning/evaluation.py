"""How good a model is on rows it has never seen."""

from math import sqrt

import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    mean_absolute_error,
    mean_squared_error,
    precision_recall_fscore_support,
    r2_score,
    roc_auc_score,
)
from sklearn.pipeline import Pipeline

from learning.target import Target

BINARY = 2


def evaluate(model: Pipeline, rows: pd.DataFrame, target: Target) -> dict[str, float]:
    """Return the metrics of a fitted pipeline on cleaned rows that it has not seen.

    Classification: `accuracy`, and `precision`, `recall` and `f1` as plain means over
    the classes (macro), each 0 to 1; with two classes `roc_auc` too, where both occur.
    Regression: `r2` (at most 1), `rmse` and `mae` in the target's unit.
    """
    truth = target.truth[rows.index]
    if target.problem_type == "regression":
        return _of_amounts(model, rows, truth)
    return _of_classes(model, rows, truth)


def _of_amounts(model: Pipeline, rows: pd.DataFrame, truth: pd.Series) -> dict[str, float]:
    guess = model.predict(rows)
    return {
        "r2": float(r2_score(truth, guess)),
        "rmse": sqrt(mean_squared_error(truth, guess)),
        "mae": float(mean_absolute_error(truth, guess)),
    }


def _of_classes(model: Pipeline, rows: pd.DataFrame, truth: pd.Series) -> dict[str, float]:
    chances = model.predict_proba(rows)
    guess = model.classes_[chances.argmax(axis=1)]
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, guess, average="macro", zero_division=0
    )
    metrics = {
        "accuracy": float(accuracy_score(truth, guess)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
    }
    if len(model.classes_) == truth.nunique() == BINARY:
        positive = truth == model.classes_[1]
        metrics["roc_auc"] = float(roc_auc_score(positive, chances[:, 1]))
    return metrics
