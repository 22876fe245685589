"""The features a model is trained on: which columns, and how they are preprocessed."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from learning.conversion import to_numbers, to_text, within_bounds
from learning.errors import UnreadableData

# One-hot columns per categorical feature. Rarer categories share one: too few rows have them to
# learn from each, and a column of names or ids would become as many features as it has rows.
MAX_CATEGORIES = 20
# One-hot columns of all categorical features together. The matrix is dense: 1,000 columns of
# float64 are 8 kB a row, or 800 MB at 100,000 rows.
MAX_ONE_HOT_COLUMNS = 1_000
# Share of a column's values that must be numbers for the column to be numeric. The rest, such as
# a stray "n/a", counts as missing.
MIN_NUMERIC_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Features:
    """Names of the feature columns, by how they are preprocessed."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]


def infer_features(frame: pd.DataFrame, target: str) -> Features:
    """Classify every column but the target; columns without a single value are left out.

    Raises `UnreadableData` when no column is left.
    """
    kinds = {name: _infer_kind(frame[name]) for name in frame.columns if name != target}
    found = Features(
        numeric=tuple(name for name, kind in kinds.items() if kind == "numeric"),
        categorical=tuple(name for name, kind in kinds.items() if kind == "categorical"),
    )
    if not found.numeric and not found.categorical:
        raise UnreadableData(
            f"The file has no column with values besides '{target}'. Add columns from "
            "which it can be predicted."
        )
    return found


def features_of(pipeline: Pipeline) -> Features:
    """Return the features that a fitted pipeline was built with."""
    columns = {name: names for name, _, names in pipeline["features"].transformers}
    return Features(tuple(columns["numeric"]), tuple(columns["categorical"]))


def select_features(frame: pd.DataFrame, features: Features) -> pd.DataFrame:
    """Return the feature columns alone: float64 (NaN = missing), or text ("" = missing)."""
    columns = {name: within_bounds(to_numbers(frame[name])) for name in features.numeric}
    columns |= {name: to_text(frame[name]) for name in features.categorical}
    return pd.DataFrame(columns, index=frame.index)


def preprocessor(features: Features) -> ColumnTransformer:
    """Return the unfitted pipeline step from selected columns to a dense float64 matrix.

    A missing number becomes the median of the training rows. A categorical column becomes up to
    `MAX_CATEGORIES` columns of 0 and 1, fewer when there are many such columns.
    """
    # Linear models weigh features by their scale and regularise large weights, hence the scaler.
    # Medians, because a mean would follow a few extreme values.
    impute = SimpleImputer(strategy="median", keep_empty_features=True)
    share = MAX_ONE_HOT_COLUMNS // max(1, len(features.categorical))
    one_hot = OneHotEncoder(
        max_categories=min(MAX_CATEGORIES, max(2, share)),
        # A category first seen in a prediction counts as a rare one instead of failing.
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    )
    return ColumnTransformer(
        [
            ("numeric", make_pipeline(impute, StandardScaler()), list(features.numeric)),
            ("categorical", one_hot, list(features.categorical)),
        ],
        sparse_threshold=0,
    )


def _infer_kind(column: pd.Series) -> Literal["numeric", "categorical", "empty"]:
    known = column.notna().sum()
    numbers = to_numbers(column)
    if numbers.notna().sum() < MIN_NUMERIC_SHARE * known:
        return "categorical"
    return "numeric" if within_bounds(numbers).notna().any() else "empty"
