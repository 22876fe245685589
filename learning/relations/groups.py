"""Rows that belong together: those of one person or place, and those in order of time."""

import numpy as np
import pandas as pd

from learning.schema.notice import Notice
from learning.schema.schema import Schema
from learning.target import Target

MIN_GROUPS = 5
MIN_MEAN_ROWS = 2.0  # of a group
FIXED_SHARE = 0.95  # of the groups must have one target value
MIN_ROWS = 20


def group_notices(frame: pd.DataFrame, target: Target, schema: Schema) -> list[Notice]:
    """Return columns whose values each have one target value, over several rows."""
    values = target.values
    classes = values.nunique()
    found = []
    for column in schema.columns:
        if column.name not in frame or column.type not in {"category", "id", "number"}:
            continue
        keys = frame[column.name].loc[values.index]
        if column.type == "number" and not (keys.dropna() % 1 == 0).all():
            continue
        known = keys.notna() & (keys.astype(str) != "")
        groups = keys[known].astype(str)
        count = groups.nunique()
        enough = count >= MIN_GROUPS and count > 2 * min(classes, count // 2 - 1)
        if not enough or len(groups) < MIN_MEAN_ROWS * count or len(groups) < MIN_ROWS:
            continue
        fixed = values[known].groupby(groups).agg("nunique") == 1
        sizes = groups.value_counts()
        several = fixed[sizes[sizes > 1].index]
        # Where nearly all rows have one class, so have the groups.
        common = values.value_counts(normalize=True).iloc[0]
        by_chance = target.problem_type == "classification" and common > 0.9
        if len(several) >= MIN_GROUPS and several.mean() >= FIXED_SHARE and not by_chance:
            found.append((count, column.name))
    if not found:
        return []
    count, name = min(found)
    message = (
        f"Rows with the same '{name}' have the same target ({count:,} of them): a random split "
        f"would test on what was trained on. Split by '{name}', so that its rows stay together."
    )
    return [Notice("group", message, column=name)]


def time_notices(frame: pd.DataFrame, target: Target, schema: Schema) -> list[Notice]:
    """Return whether rows are in order of time, and whether the target only rises."""
    notices = []
    times = [c.name for c in schema.columns if c.type == "date" and c.name in frame]
    for name in times[:1]:
        dates = frame[name].dropna()
        if len(dates) >= MIN_ROWS and dates.nunique() > len(dates) // 2:
            message = (
                f"The rows have a time ('{name}'): a random split would let the model look ahead. "
                "Split by time, and train on what came before."
            )
            notices.append(Notice("time", message, column=name))
    if target.problem_type == "regression" and len(target.values) >= MIN_ROWS:
        steps = np.diff(target.values.to_numpy(dtype=np.float64))
        if (steps >= 0).all() or (steps <= 0).all():
            message = (
                f"The target '{target.values.name}' only {'rises' if steps.sum() > 0 else 'falls'} "
                "from row to row, like a counter: a random split would read it off its neighbours. "
                "Split by time, and predict the differences."
            )
            notices.append(Notice("counter", message, column=str(target.values.name)))
    return notices
