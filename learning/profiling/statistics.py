"""What the cells of one column amount to, added up chunk by chunk."""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from learning.columns.infer_labels import ALL_LABELS, MAX_LABELS
from learning.columns.tally import Tally, merged, tally, trimmed
from learning.columns.values import to_labels, to_numbers
from learning.schema.column import Column

BINS = 20  # of a histogram: as many as fit a phone's width
SAMPLED = 20_000  # values kept of a column for its histogram
ALL_SAMPLED = 4_000_000  # of all columns together: 32 MB
MAX_UNREAD = 2_000  # different cells kept that a column's type did not foresee


@dataclass(slots=True)
class Statistics:
    """Of one column, while its file is read. `unread` are cells that its type cannot be."""

    column: Column
    width: int
    rows: int = 0
    missing: int = 0
    low: float = np.inf
    high: float = -np.inf
    sample: list[NDArray[np.float64]] = field(default_factory=list)
    sampled: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    unread: Tally | None = None
    unread_cells: int = 0

    def add(self, cells: pa.StringArray, lines: NDArray[np.int64]) -> None:
        """Count the cells of one chunk."""
        self.rows += len(cells)
        if self.column.type in {"number", "date"}:
            self._add_numbers(cells, lines)
        else:
            self._add_labels(cells, lines)

    def _add_numbers(self, cells: pa.StringArray, lines: NDArray[np.int64]) -> None:
        numbers, wrong = to_numbers(self.column, cells)
        self._set_aside(cells, lines, wrong)
        known = numbers[~np.isnan(numbers)]
        self.missing += len(numbers) - len(known)
        if len(known) == 0:
            return
        self.low, self.high = min(self.low, known.min()), max(self.high, known.max())
        room = max(200, min(SAMPLED, ALL_SAMPLED // self.width)) - self.sampled
        if room > 0:
            step = max(1, len(known) // room)
            self.sample.append(known[::step][:room].copy())
            self.sampled += len(self.sample[-1])

    def _add_labels(self, cells: pa.StringArray, lines: NDArray[np.int64]) -> None:
        if self.column.type in {"constant", "empty"} or self.column.blank_is_no:
            known = ["", *self.column.categories, *self.column.examples]
            wrong = pc.invert(pc.is_in(trimmed(cells), value_set=pa.array(known, pa.string())))
            self._set_aside(cells, lines, wrong.to_numpy(zero_copy_only=False))
        if self.column.type != "category":
            self.missing += _blanks(cells)
            return
        room = 20 * max(20, min(MAX_LABELS, ALL_LABELS // self.width))
        for pair in to_labels(self.column, cells).value_counts().to_pylist():
            label, count = pair["values"], pair["counts"]
            if label == "":
                self.missing += count
            elif label in self.labels or len(self.labels) < room:
                self.labels[label] += count

    def _set_aside(
        self, cells: pa.StringArray, lines: NDArray[np.int64], wrong: NDArray[np.bool_]
    ) -> None:
        count = int(wrong.sum())
        if count == 0:
            return
        self.unread_cells += count
        found = tally(cells.filter(pa.array(wrong)), lines[wrong], MAX_UNREAD)
        if self.unread is None:
            self.unread = found
        elif self.unread.distinct < MAX_UNREAD:
            self.unread = merged(self.unread, found)

    def result(self, distinct: int) -> Column:
        """Return the column with what was counted."""
        column = replace(self.column, rows=self.rows, missing=self.missing, distinct=distinct)
        if column.type in {"number", "date"}:
            if np.isinf(self.low):
                return column
            return replace(
                column, low=float(self.low), high=float(self.high), histogram=self._histogram()
            )
        if column.type != "category":
            return column
        most = max(20, min(MAX_LABELS, ALL_LABELS // self.width))
        common = self.labels.most_common(most)
        return replace(
            column,
            categories=tuple(label for label, _ in common),
            histogram=tuple(count for _, count in common[:BINS]),
            distinct=max(distinct if not column.fold_case else 0, len(self.labels)),
        )

    def _histogram(self) -> tuple[int, ...]:
        if self.high <= self.low:
            return (self.rows - self.missing,)
        counts, _ = np.histogram(np.concatenate(self.sample), BINS, (self.low, self.high))
        scale = (self.rows - self.missing) / max(1, self.sampled)
        return tuple(round(float(count) * scale) for count in counts)


def _blanks(cells: pa.StringArray) -> int:
    empty = pc.sum(pc.equal(cells, "")).as_py() or 0
    # To trim every text would take ten times as long, for hardly a blank cell.
    spaced = cells.filter(pc.starts_with(cells, " "))
    return int(empty + (pc.sum(pc.equal(trimmed(spaced), "")).as_py() or 0))
