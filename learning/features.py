"""The features a model is trained on: which columns, and how they are preprocessed."""

from dataclasses import dataclass, replace

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from learning.errors import UnreadableData, listed
from learning.schema.column import Column
from learning.schema.notice import Notice
from learning.schema.schema import Schema

# One-hot columns per categorical feature. Rarer categories share one: too few rows have them to
# learn from each, and a column of names or ids would become as many features as it has rows.
MAX_CATEGORIES = 20
# One-hot columns of all categorical features together. The matrix is dense: 1,000 columns of
# float64 are 8 kB a row, or 800 MB at 100,000 rows.
MAX_ONE_HOT_COLUMNS = 1_000
TEXT_COMPONENTS = 30  # numbers a text becomes, skrub's default; fewer where many columns are text
MAX_TEXT_COMPONENTS = 300  # of all columns together, for the same reason as above
MAX_TEXT_COLUMNS = 30  # each is decomposed anew in every training, which takes seconds


@dataclass(frozen=True, slots=True)
class Features:
    """The feature columns, by how they are preprocessed."""

    numeric: tuple[Column, ...] = ()
    categorical: tuple[Column, ...] = ()
    dates: tuple[Column, ...] = ()
    texts: tuple[Column, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """All of them."""
        return self.numeric + self.categorical + self.dates + self.texts

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(column.name for column in self.columns)


def choose_features(schema: Schema, target: str) -> tuple[Features, list[Notice]]:
    """Return the features by the schema, without the target, and what is said about them.

    Raises `UnreadableData` when no column is left.
    """
    others = [column for column in schema.columns if column.name != target]
    usable = [column for column in others if column.is_feature and column.missing < column.rows]
    notices = [*_open_questions(others)]
    if not usable:
        usable = _ids_after_all(others, notices)
    if not usable:
        raise UnreadableData(
            f"The file has no column with values besides '{target}'. Add columns from "
            "which it can be predicted."
        )
    return features_of(usable), notices


def features_of(columns: list[Column]) -> Features:
    """Return columns by how they are preprocessed."""

    def of_type(kind: str) -> tuple[Column, ...]:
        return tuple(column for column in columns if column.type == kind)

    return Features(
        of_type("number"), of_type("category"), of_type("date"), of_type("text")[:MAX_TEXT_COLUMNS]
    )


def _open_questions(columns: list[Column]) -> list[Notice]:
    asked = [column.name for column in columns if column.question is not None]
    if not asked:
        return []
    message = f"Not learnt from, since a question about them is open: {listed(asked)}."
    return [Notice("open_questions", message)]


def _ids_after_all(columns: list[Column], notices: list[Notice]) -> list[Column]:
    """Where a table has nothing else, its ids are learnt from after all, and that is said."""
    ids = [c for c in columns if c.type == "id" and not c.ignore and c.question is None]
    if not ids:
        return []
    names = listed(column.name for column in ids)
    notices.append(
        Notice("only_ids", f"There is nothing to learn from but ids: {names}. They were used "
               "after all; what they teach seldom holds for new rows.")
    )  # fmt: skip
    counted = {column.name for column in ids if column.low is not None or _is_count(column)}
    return [replace(c, type="number" if c.name in counted else "category") for c in ids]


def _is_count(column: Column) -> bool:
    return bool(column.examples) and all(each.isdigit() for each in column.examples)


def preprocessor(features: Features) -> ColumnTransformer:
    """Return the unfitted pipeline step from typed columns to a dense float64 matrix.

    A missing number becomes the median of the training rows. A categorical column becomes up to
    `MAX_CATEGORIES` columns of 0 and 1, fewer when there are many such columns. A date becomes
    its parts, a text up to `TEXT_COMPONENTS` numbers.
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
    steps = [
        ("numeric", make_pipeline(impute, StandardScaler()), _names(features.numeric)),
        ("categorical", one_hot, _names(features.categorical)),
        *_date_steps(features.dates),
        *_text_steps(features.texts),
    ]
    return ColumnTransformer(steps, sparse_threshold=0)


def _names(columns: tuple[Column, ...]) -> list[str]:
    return [column.name for column in columns]


def _date_steps(columns: tuple[Column, ...]) -> list[tuple[str, Pipeline, str]]:
    if not columns:
        return []
    from skrub import DatetimeEncoder  # noqa: PLC0415 (takes two seconds to import)

    def encoder() -> Pipeline:
        impute = SimpleImputer(strategy="median", keep_empty_features=True)
        parts = DatetimeEncoder(resolution="minute", add_weekday=True, add_day_of_year=True)
        return make_pipeline(parts, impute, StandardScaler())

    return [(f"date {i}", encoder(), column.name) for i, column in enumerate(columns)]


def _text_steps(columns: tuple[Column, ...]) -> list[tuple[str, object, str]]:
    if not columns:
        return []
    from skrub import StringEncoder  # noqa: PLC0415 (takes two seconds to import)

    from learning.splitting import SEED  # noqa: PLC0415 (which knows targets)

    components = max(2, min(TEXT_COMPONENTS, MAX_TEXT_COMPONENTS // len(columns)))
    return [
        (f"text {i}", StringEncoder(n_components=components, random_state=SEED), column.name)
        for i, column in enumerate(columns)
    ]


def select_features(frame: pd.DataFrame, features: Features) -> pd.DataFrame:
    """Return the feature columns alone, as the preprocessor takes them."""
    data = {name: frame[name] for name in features.names}
    for column in features.categorical:
        # As text: an encoder fitted on categories would fail on others.
        data[column.name] = frame[column.name].astype(object).fillna("")
    return pd.DataFrame(data, index=frame.index)
