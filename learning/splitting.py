"""Which rows are learnt from and which are kept back to examine the model."""

from math import ceil

import pandas as pd
from sklearn.model_selection import train_test_split

from learning.target import Target

SEED = 20
TEST_SHARE = 0.2


def split(target: Target) -> tuple[pd.Index, pd.Index]:
    """Return the rows to train on and to test on, about 80:20, the same every time.

    Classes keep their proportions; one that appears once can only be learnt from.
    """
    if target.problem_type == "regression":
        return _parted(target.truth.index, ceil(len(target.truth) * TEST_SHARE))
    counts = target.truth.map(target.truth.value_counts())
    shared = target.truth[counts > 1]
    # Stratifying needs at least one row of each class on both sides.
    test_size = max(ceil(len(shared) * TEST_SHARE), shared.nunique())
    train, test = _parted(shared.index, test_size, classes=shared)
    return train.append(target.truth.index[counts == 1]), test


def _parted(
    rows: pd.Index, test_size: int, classes: pd.Series | None = None
) -> tuple[pd.Index, pd.Index]:
    train, test = train_test_split(rows, test_size=test_size, stratify=classes, random_state=SEED)
    return train, test
