"""A trained model, and its file in the skops format: inspected data, never a pickle."""

from dataclasses import dataclass, fields
from io import BytesIO
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, BadZipFile

import skops.io
from sklearn.pipeline import Pipeline

from learning.errors import UnreadableModel
from learning.schema.column import Column
from learning.schema.notice import Notice
from learning.target import ProblemType

# skops does not trust trees by itself: node numbers of a forged one could point outside of
# memory. They are accepted because `load` only reads files that `save` wrote.
# skrub's encoders hold scikit-learn's transformers and plain values.
TRUSTED_TYPES = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "skrub._datetime_encoder.DatetimeEncoder",
    "skrub._scaling_factor.scaling_factor",
    "skrub._string_encoder.StringEncoder",
    "skrub._to_str.ToStr",
)


# The names of the fields are the keys in the file: renaming one makes stored models unreadable.
@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A fitted pipeline with its metrics and a description of what it was trained on.

    `model` expects the columns of `select_features`: use `predict`. `metrics` are those of
    `evaluate` on the test set. `row_count` and `column_count` are the file's; `feature_names`
    are the columns trained on, `classes` the labels (None for a regression). `columns` are the
    features by the schema, frozen: a model of before has none. `notices` are the training's.
    """

    model: Pipeline
    problem_type: ProblemType
    algorithm: str
    metrics: dict[str, float]
    row_count: int
    column_count: int
    feature_names: tuple[str, ...]
    classes: tuple[str, ...] | None
    columns: tuple[Column, ...] = ()
    notices: tuple[Notice, ...] = ()


def save(trained: TrainedModel, file: BinaryIO) -> None:
    """Write a trained model to a binary file."""
    content = {field.name: getattr(trained, field.name) for field in fields(trained)}
    content["columns"] = [column.to_json() for column in trained.columns]
    content["notices"] = [notice.to_json() for notice in trained.notices]
    skops.io.dump(content, file, compression=ZIP_DEFLATED)


def load(file: BinaryIO) -> TrainedModel:
    """Read back what `save` wrote, from a store that nobody else can write to.

    Raises `UnreadableModel` for any other content, also for types outside of `TRUSTED_TYPES`.
    """
    data = BytesIO(file.read())
    try:
        content = skops.io.load(data, trusted=list(TRUSTED_TYPES))
        content["columns"] = tuple(map(Column.from_json, content.get("columns", ())))
        content["notices"] = tuple(map(Notice.from_json, content.get("notices", ())))
        return TrainedModel(**content)
    except (AttributeError, BadZipFile, KeyError, TypeError, ValueError) as error:
        raise UnreadableModel(
            "The file is not a model of this application. Train the model again."
        ) from error
