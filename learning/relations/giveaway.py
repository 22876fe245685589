"""Columns that give the target away: copies, other names for its classes, formulas."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from learning.errors import listed
from learning.schema.notice import Notice

MIN_ROWS = 10  # by which a law is believed
SAMPLED = 500  # rows by which formulas are tried
MAX_COLUMNS = 40  # of numbers, of which all pairs are tried
TOLERANCE = 1e-6  # relative
ROUNDED = 0.006  # relative: percentages and means are mostly written with two or three digits
HELD_SHARE = 0.98  # of the rows must keep the law: a few have errors

Numbers = NDArray[np.float64]


def copies_of_labels(frame: pd.DataFrame, labels: pd.Series) -> list[Notice]:
    """Return columns in which each class of the target has a name of its own."""
    notices = []
    classes = labels.nunique()
    for name in frame.columns:
        column = frame[name].loc[labels.index]
        known = column.notna() & (column.astype(str) != "")
        if known.sum() < max(MIN_ROWS, len(labels) // 2):
            continue
        own, theirs = labels[known], column[known].astype(str)
        if theirs.nunique() > 2 * classes:
            continue
        pairs = pd.DataFrame({"own": own, "theirs": theirs}).value_counts()
        # The commonest pairs must explain nearly all rows, in both directions.
        forward = pairs.groupby(level="own").max().sum()
        back = pairs.groupby(level="theirs").max().sum()
        if min(forward, back) >= HELD_SHARE * len(own):
            message = (
                f"The column '{name}' gives the target away: each of its values belongs to one "
                "class. Leave it out unless it will be known before the target is."
            )
            notices.append(Notice("gives_target_away", message, column=str(name)))
    return notices


def formulas_of_numbers(frame: pd.DataFrame, target: pd.Series) -> list[Notice]:
    """Return copies of a target of numbers, and the formula by which others give it."""
    numbers = frame.select_dtypes("number").loc[target.index]
    step = max(1, len(target) // SAMPLED)
    goal = target.to_numpy(dtype=np.float64)[::step]
    columns = {str(n): numbers[n].to_numpy(dtype=np.float64)[::step] for n in numbers.columns}
    found = _copies(columns, goal)
    if found:
        return found
    useful = {n: v for n, v in list(columns.items())[:MAX_COLUMNS] if np.nanstd(v) > 0}
    formula = _sum_of_all(useful, goal) or _pair(useful, goal)
    if formula is None:
        return []
    names, text = formula
    message = (
        f"The target follows from other columns: it is {text}. Leave {listed(names)} out unless "
        "they will be known before the target is."
    )
    return [Notice("gives_target_away", message, column=names[0])]


def _copies(columns: dict[str, Numbers], goal: Numbers) -> list[Notice]:
    notices = []
    for name, values in columns.items():
        known = ~np.isnan(values) & ~np.isnan(goal)
        if known.sum() < MIN_ROWS or np.std(values[known]) == 0:
            continue
        slope, base = np.polyfit(values[known], goal[known], 1)
        if not _holds(slope * values + base, goal, TOLERANCE):
            continue
        text = "the same" if np.isclose(slope, 1) and abs(base) < 1e-9 else f"{slope:.4g} times it"
        if text != "the same" and abs(base) > 1e-9 * max(1.0, abs(float(np.nanmean(goal)))):
            text += f" {'+' if base > 0 else '−'} {abs(base):.4g}"
        message = (
            f"The column '{name}' gives the target away: the target is {text}. Leave it out unless "
            "it will be known before the target is."
        )
        notices.append(Notice("gives_target_away", message, column=name))
    return notices


def _holds(guess: Numbers, goal: Numbers, tolerance: float) -> bool:
    with np.errstate(invalid="ignore"):
        known = np.isfinite(guess) & np.isfinite(goal)
        if known.sum() < max(MIN_ROWS, len(goal) // 2):
            return False
        scale = max(1e-12, float(np.std(goal[known])))
        near = np.abs(guess[known] - goal[known]) <= tolerance * scale + 1e-9
    return bool(near.mean() >= HELD_SHARE)


def _sum_of_all(columns: dict[str, Numbers], goal: Numbers) -> tuple[Sequence[str], str] | None:
    """A sum, difference, complement or mean: a linear formula that leaves nothing over."""
    names = list(columns)
    table = np.column_stack([columns[n] for n in names]) if names else np.empty((len(goal), 0))
    known = ~np.isnan(table).any(axis=1) & ~np.isnan(goal)
    rows = int(known.sum())
    if rows < max(MIN_ROWS, 2 * len(names) + 2) or len(names) < 2:
        return None
    design = np.column_stack([table[known], np.ones(rows)])
    scale = np.maximum(np.abs(design).max(axis=0), 1e-12)
    weights = np.linalg.lstsq(design / scale, goal[known], rcond=None)[0] / scale
    if not _holds(design @ weights, goal[known], 1e-4):
        return None
    least = 1e-4 * np.abs(weights[:-1]).max()
    parts = [(n, w) for n, w in zip(names, weights, strict=False) if abs(w) > least]
    text = " + ".join(n if np.isclose(w, 1, atol=1e-3) else f"{w:.3g} × {n}" for n, w in parts[:6])
    if abs(weights[-1]) > 1e-4 * max(1.0, float(np.std(goal))):
        text = f"{weights[-1]:.4g} + {text}"
    return [n for n, _ in parts], text.replace("+ -", "− ")


def _pair(columns: dict[str, Numbers], goal: Numbers) -> tuple[Sequence[str], str] | None:
    """A product, a quotient or a change in percent of two columns."""
    with np.errstate(all="ignore"):
        for first, second in combinations(columns, 2):
            a, b = columns[first], columns[second]
            for text, guess in (
                (f"{first} × {second}", a * b),
                (f"{first} / {second}", a / b),
                (f"{second} / {first}", b / a),
                (f"{first} / ({first} + {second})", a / (a + b)),
                (f"the change from {first} to {second}", (b - a) / a),
                (f"the change from {second} to {first}", (a - b) / b),
            ):
                for factor, shown in ((1.0, ""), (100.0, " in percent")):
                    if _holds(guess * factor, goal, ROUNDED):
                        return [first, second], text + shown
    return None
