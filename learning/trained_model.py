"""A trained model, and its file in the skops format: inspected data, never a pickle."""

from dataclasses import dataclass, fields
from io import BytesIO
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, BadZipFile

import skops.io
from sklearn.pipeline import Pipeline

from learning.errors import UnreadableModel
from learning.target import ProblemType

# skops does not trust trees by itself: node numbers of a forged one could point outside of
# memory. They are accepted because `load` only reads files that `save` wrote.
TRUSTED_TYPES = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)


# The names of the fields are the keys in the file: renaming one makes stored models unreadable.
@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A fitted pipeline with its metrics and a description of what it was trained on.

    `model` expects the columns of `select_features`: use `predict`. `metrics` are those of
    `evaluate` on the test set. `row_count` and `column_count` are the file's; `feature_names`
    are the columns trained on, `classes` the labels (None for a regression).
    """

    model: Pipeline
    problem_type: ProblemType
    algorithm: str
    metrics: dict[str, float]
    row_count: int
    column_count: int
    feature_names: tuple[str, ...]
    classes: tuple[str, ...] | None


def save(trained: TrainedModel, file: BinaryIO) -> None:
    """Write a trained model to a binary file."""
    content = {field.name: getattr(trained, field.name) for field in fields(trained)}
    skops.io.dump(content, file, compression=ZIP_DEFLATED)


def load(file: BinaryIO) -> TrainedModel:
    """Read back what `save` wrote, from a store that nobody else can write to.

    Raises `UnreadableModel` for any other content, also for types outside of `TRUSTED_TYPES`.
    """
    data = BytesIO(file.read())
    try:
        return TrainedModel(**skops.io.load(data, trusted=list(TRUSTED_TYPES)))
    except (BadZipFile, KeyError, TypeError, ValueError) as error:
        raise UnreadableModel(
            "The file is not a model of this application. Train the model again."
        ) from error
