"""Predicts new rows with a trained model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from learning.applying import transform
from learning.features import features_of, select_features
from learning.schema.column import Column
from learning.schema.notice import Notice
from learning.trained_model import TrainedModel


@dataclass(frozen=True, slots=True)
class Prediction:
    """The predicted class with its probability (0 to 1), or the predicted number."""

    label: str | float
    probability: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction for each row, in order, and what is to be said about single rows."""

    predictions: list[Prediction]
    notices: tuple[Notice, ...]


def predict(
    trained: TrainedModel, rows: pd.DataFrame | Sequence[Mapping[str, Any]]
) -> list[Prediction]:
    """Return one prediction per row, in order; columns not trained on are ignored.

    Raises `MissingColumns` where a column is absent. A single value may be missing.
    """
    return answer(trained, rows).predictions


def answer(trained: TrainedModel, rows: pd.DataFrame | Sequence[Mapping[str, Any]]) -> Answer:
    """Return predictions as `predict` does, with notices about single values.

    Notices name row (from 1), column and reason: a value that is none of the column's type, one
    outside of the training's range, a label that the training never saw.
    """
    features = features_of(list(trained.columns or columns_of_old(trained.model)))
    applied = transform(rows, features.columns)
    # scikit-learn refuses to predict nothing.
    if len(applied.frame) == 0:
        return Answer([], applied.notices)
    selected = select_features(applied.frame, features)
    with threadpool_limits(1):
        if trained.problem_type == "regression":
            found = [Prediction(float(v), None) for v in trained.model.predict(selected)]
            return Answer(found, applied.notices)
        probabilities = trained.model.predict_proba(selected)
    labels = trained.model.classes_[probabilities.argmax(axis=1)]
    found = [
        Prediction(str(label), float(probability))
        for label, probability in zip(labels, probabilities.max(axis=1), strict=True)
    ]
    return Answer(found, applied.notices)


def columns_of_old(pipeline: Pipeline) -> tuple[Column, ...]:
    """Return the columns of a model from before there were schemas: numbers and categories."""
    names = {name: columns for name, _, columns in pipeline["features"].transformers}
    numbers = [Column(name, "number") for name in names["numeric"]]
    return (*numbers, *(Column(name, "category") for name in names["categorical"]))
