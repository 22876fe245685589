"""Numbers that stand for no value, such as −999 among temperatures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.columns.context import Context
from learning.schema.notice import Notice

CANDIDATES = frozenset(
    sign * number
    for number in (9, 99, 999, 9999, 99999, 999999, 999.9, 99.9, 9999.9, 99.99, 999.99, 88, 888,
                   8888, 77, 777, 7777)
    for sign in (1, -1)
) | {-1.0, -2.0, 1e20, 1e30, -1e20}  # fmt: skip
MIN_CELLS = 2
MIN_OTHERS = 5  # different values, to know where the usual ones end
GAP = 2.0  # how far outside, in ranges of the other values


@dataclass(frozen=True, slots=True)
class Sentinel:
    """The cells that count as missing, and what is said and asked about them."""

    markers: tuple[str, ...]
    notice: Notice


def find_sentinel(context: Context, values: Mapping[str, float]) -> Sentinel | None:
    """Return a number that recurs far outside of all others; None where there is none."""
    counts = dict(zip(context.tally.values, context.tally.counts.tolist(), strict=True))
    for number in sorted(CANDIDATES & set(values.values()), key=lambda n: -abs(n)):
        texts = [text for text, value in values.items() if value == number]
        cells = sum(counts[text] for text in texts)
        others = np.array(
            [v for v in values.values() if v not in CANDIDATES or abs(v) < abs(number)]
        )
        if cells < MIN_CELLS or len(set(others)) < MIN_OTHERS or not _is_outside(number, others):
            continue
        question = context.question("sentinel")
        if context.answers.get(question) == "a value":
            return None
        message = (
            f"In '{context.name}', {texts[0]} lies far outside of all other values "
            f"({others.min():g} to {others.max():g}) and occurs {cells:,} times: it counts as "
            "missing. Is it a value?"
        )
        answered = question in context.answers
        notice = Notice(
            "sentinel", message, column=context.name, lines=(context.lines[texts[0]],),
            id=None if answered else question,
            choices=() if answered else ("missing", "a value"),
        )  # fmt: skip
        return Sentinel(tuple(texts), notice)
    return None


def _is_outside(number: float, others: NDArray[Any]) -> bool:
    low, high = float(others.min()), float(others.max())
    spread = max(high - low, 1e-9)
    if number < 0:
        # Among amounts that are never negative, -1 and -9 are signs too.
        far = number < low - GAP * spread or (low >= 0 and number in {-1.0, -9.0, -99.0})
        return far or (low >= 0 and number <= -99)
    return number > high + GAP * spread
