"""What a model says about new rows."""

from dataclasses import dataclass

import pandas as pd
from threadpoolctl import threadpool_limits

from learning.errors import MissingColumns
from learning.features import cleaned, features_in
from learning.trained import Trained
from learning.wording import listed


@dataclass(frozen=True, slots=True)
class Prediction:
    """The class as text with its probability (0 to 1), or the amount as a float."""

    label: str | float
    probability: float | None


def predict(trained: Trained, rows: pd.DataFrame) -> list[Prediction]:
    """Return one prediction for each row, in order; columns not learnt are ignored.

    A value that is missing or unknown is treated as such. Raises `MissingColumns`.
    """
    missing = [name for name in trained.feature_names if name not in rows.columns]
    if missing:
        raise MissingColumns(
            f"The rows lack columns that the model learnt from: {listed(missing)}. "
            "Add them; their values may be empty."
        )
    if len(rows) == 0:
        return []
    ready = cleaned(rows, features_in(trained.model))
    with threadpool_limits(1):
        if trained.problem_type == "regression":
            return [Prediction(float(v), None) for v in trained.model.predict(ready)]
        chances = trained.model.predict_proba(ready)
    labels = trained.model.classes_[chances.argmax(axis=1)]
    return [
        Prediction(str(label), float(chance))
        for label, chance in zip(labels, chances.max(axis=1), strict=True)
    ]
