"""Predicts new rows with a trained model."""

from dataclasses import dataclass

import pandas as pd
from threadpoolctl import threadpool_limits

from learning.errors import MissingColumns, listed
from learning.features import features_of, select_features
from learning.trained_model import TrainedModel


@dataclass(frozen=True, slots=True)
class Prediction:
    """The predicted class with its probability (0 to 1), or the predicted number."""

    label: str | float
    probability: float | None


def predict(trained: TrainedModel, rows: pd.DataFrame) -> list[Prediction]:
    """Return one prediction per row, in order; columns not trained on are ignored.

    Raises `MissingColumns` where a column is absent. A single value may be missing.
    """
    missing = [name for name in trained.feature_names if name not in rows.columns]
    if missing:
        raise MissingColumns(
            f"The rows lack columns that the model learnt from: {listed(missing)}. "
            "Add them; their values may be empty."
        )
    # scikit-learn refuses to predict nothing.
    if len(rows) == 0:
        return []
    selected = select_features(rows, features_of(trained.model))
    with threadpool_limits(1):
        if trained.problem_type == "regression":
            return [Prediction(float(v), None) for v in trained.model.predict(selected)]
        probabilities = trained.model.predict_proba(selected)
    labels = trained.model.classes_[probabilities.argmax(axis=1)]
    return [
        Prediction(str(label), float(probability))
        for label, probability in zip(labels, probabilities.max(axis=1), strict=True)
    ]
