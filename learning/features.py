"""The columns that are learnt from, and what is done to them first."""

from dataclasses import dataclass

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from learning.errors import UnreadableData
from learning.values import numbers, texts, within_bounds

MAX_CATEGORIES = 20
MAX_CATEGORY_COLUMNS = 1_000
NUMERIC_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Features:
    """Names of the columns, by how they are read."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]


def features_of(frame: pd.DataFrame, target: str) -> Features:
    """Sort every column but the target; those without a single value are left out.

    A column is numeric when at least `NUMERIC_SHARE` of its values are numbers, so
    that a stray "n/a" does not make text of it. Raises `UnreadableData` when no column
    is left.
    """
    kinds = {name: _kind(frame[name]) for name in frame.columns if name != target}
    found = Features(
        numeric=tuple(name for name, kind in kinds.items() if kind == "numeric"),
        categorical=tuple(name for name, kind in kinds.items() if kind == "text"),
    )
    if not found.numeric and not found.categorical:
        raise UnreadableData(
            f"The file has no column with values besides '{target}'. Add columns from "
            "which it can be predicted."
        )
    return found


def features_in(model: Pipeline) -> Features:
    """Return the features that a fitted pipeline was built with."""
    columns = {name: names for name, _, names in model["features"].transformers}
    return Features(tuple(columns["numeric"]), tuple(columns["categorical"]))


def cleaned(frame: pd.DataFrame, features: Features) -> pd.DataFrame:
    """Return the features' columns alone: float64 (NaN = missing), or text ("")."""
    columns = {name: within_bounds(numbers(frame[name])) for name in features.numeric}
    columns |= {name: texts(frame[name]) for name in features.categorical}
    return pd.DataFrame(columns, index=frame.index)


def transformer(features: Features) -> ColumnTransformer:
    """Return the unfitted step from cleaned columns to a dense float64 matrix.

    A missing number becomes the median; a text column becomes up to `MAX_CATEGORIES`
    columns of 0 and 1, fewer when there are many text columns, the rarest sharing one.
    """
    fair_share = MAX_CATEGORY_COLUMNS // max(1, len(features.categorical))
    one_hot = OneHotEncoder(
        max_categories=min(MAX_CATEGORIES, max(2, fair_share)),
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    )
    impute = SimpleImputer(strategy="median", keep_empty_features=True)
    return ColumnTransformer(
        [
            (
                "numeric",
                make_pipeline(impute, StandardScaler()),
                list(features.numeric),
            ),
            ("categorical", one_hot, list(features.categorical)),
        ],
        sparse_threshold=0,
    )


def _kind(column: pd.Series) -> str:
    known = column.notna().sum()
    amounts = numbers(column)
    if amounts.notna().sum() < NUMERIC_SHARE * known:
        return "text"
    return "numeric" if within_bounds(amounts).notna().any() else "empty"
