"""Measures a model on the test set."""

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

BINARY = 2  # classes


def evaluate(pipeline: Pipeline, features: pd.DataFrame, target: Target) -> dict[str, float]:
    """Return the metrics of a fitted pipeline on the rows of a test set.

    Classification: `accuracy`, and `precision`, `recall` and `f1` as plain means over
    the classes (macro), each 0 to 1; with two classes `roc_auc` too, where both occur.
    Regression: `r2` (at most 1), `rmse` and `mae` in the target's unit.
    """
    truth = target.values[features.index]
    if target.problem_type == "regression":
        return _regression_metrics(pipeline, features, truth)
    return _classification_metrics(pipeline, features, truth)


def _regression_metrics(
    pipeline: Pipeline, features: pd.DataFrame, truth: pd.Series
) -> dict[str, float]:
    predicted = pipeline.predict(features)
    return {
        "r2": float(r2_score(truth, predicted)),
        "rmse": sqrt(mean_squared_error(truth, predicted)),
        "mae": float(mean_absolute_error(truth, predicted)),
    }


def _classification_metrics(
    pipeline: Pipeline, features: pd.DataFrame, truth: pd.Series
) -> dict[str, float]:
    probabilities = pipeline.predict_proba(features)
    predicted = pipeline.classes_[probabilities.argmax(axis=1)]
    # Macro: a rare class counts as much as a frequent one, which accuracy would hide.
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, predicted, average="macro", zero_division=0
    )
    metrics = {
        "accuracy": float(accuracy_score(truth, predicted)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
    }
    # The area under the curve is undefined where the test set has only one of two classes.
    if len(pipeline.classes_) == truth.nunique() == BINARY:
        positive = truth == pipeline.classes_[1]
        metrics["roc_auc"] = float(roc_auc_score(positive, probabilities[:, 1]))
    return metrics
