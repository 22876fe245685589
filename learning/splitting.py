"""Splits the rows into a training set and a test set."""

from math import ceil

import pandas as pd
from sklearn.model_selection import train_test_split

from learning.target import Target

# Any fixed number serves: the same file must give the same split and the same model.
SEED = 20
TEST_SHARE = 0.2  # the usual 80:20; a small file needs its rows for training


def split(target: Target) -> tuple[pd.Index, pd.Index]:
    """Return the index of the training rows and of the test rows, about 80:20, reproducibly.

    A classification is stratified. A class with a single row goes to the training set, so that
    the model knows it; it cannot be in both sets.
    """
    values = target.values
    if target.problem_type == "regression":
        return _split(values.index, ceil(len(values) * TEST_SHARE))
    counts = values.map(values.value_counts())
    repeated = values[counts > 1]
    # Stratifying needs at least one row of each class in both sets.
    test_size = max(ceil(len(repeated) * TEST_SHARE), repeated.nunique())
    train, test = _split(repeated.index, test_size, stratify=repeated)
    return train.append(values.index[counts == 1]), test


def _split(
    rows: pd.Index, test_size: int, stratify: pd.Series | None = None
) -> tuple[pd.Index, pd.Index]:
    train, test = train_test_split(rows, test_size=test_size, stratify=stratify, random_state=SEED)
    return train, test
