"""Whether a column is one of numbers, in which notation, with which units and flags."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from learning.columns.markers import MARKERS, is_filler
from learning.columns.number_cell import (
    COMMA,
    CURRENCIES,
    NOTATIONS,
    POINT,
    Notation,
    NumberCell,
    is_group_of_three,
    is_grouped,
    read_cell,
    value_of,
)
from learning.columns.tally import Tally

MIN_SHARE = 0.95  # of the cells with a value must be numbers; the rest counts as missing
MARKER_SHARE = 0.8  # the same, where the rest are a few words again and again
QUICK_LOOK = 200  # different values
QUICK_SHARE = 0.3  # of them with a digit: markers may be many, but are few different ones
FEW_WORDS = 5
MANY_NUMBERS = 10  # different ones: fewer may be the codes of classes
MAX_FLAGS = 12  # different ones
UNIT_SHARE = 0.5  # of the numbers have it; what fewer have is a flag
LONGEST_FLAG = 3  # characters


@dataclass(slots=True)
class NumberColumn:
    """What was found out: by value, the cells that are numbers, and the rest."""

    cells: dict[str, NumberCell]
    counts: dict[str, int]
    markers: tuple[str, ...]
    unit: str | None = None
    units: tuple[str, ...] = ()
    flags: dict[str, int] = field(default_factory=dict)
    other_unit: tuple[str, str] | None = None
    notations: frozenset[Notation] = frozenset(NOTATIONS)

    @property
    def has_decimals(self) -> bool:
        """Whether the notation matters: some cell has a mark."""
        return any(not c.body.isdigit() or c.high for c in self.cells.values())

    @property
    def ambiguous(self) -> list[str]:
        """The cells that are another number in each of the remaining notations."""
        if len({n[1] for n in self.notations}) < 2:
            return []
        return [text for text, cell in self.cells.items() if is_group_of_three(cell.body)]

    @property
    def decimal_mark(self) -> str | None:
        """The decimal mark, where the column itself proves one."""
        marks = {n[1] for n in self.notations}
        return marks.pop() if len(marks) == 1 and self.has_decimals else None

    @property
    def ranges(self) -> int:
        """How many cells are ranges, bounds or have an interval behind them."""
        return sum(self.counts[t] for t, c in self.cells.items() if c.kind != "plain")


def read_numbers(tally: Tally, *, force: bool = False) -> NumberColumn | None:
    """Return what a column is as numbers; None where too few of its cells are.

    With `force` any cells that are numbers suffice, the others count as missing.
    """
    if not force and not _may_be(tally.values):
        return None
    cells: dict[str, NumberCell] = {}
    rest: list[str] = []
    counts = dict(zip(tally.values, tally.counts.tolist(), strict=True))
    for value in tally.values:
        cell = None if is_filler(value) else read_cell(value)
        if cell is not None and cell.notations:
            cells[value] = cell
        else:
            rest.append(value)
    if not cells or (not force and _is_code_list(cells, counts)):
        return None
    found = NumberColumn(cells, counts, ())
    _find_units(found)
    rest += [value for value in tally.values if value in cells and value not in found.cells]
    unknown = [value for value in rest if value.casefold() not in MARKERS and not is_filler(value)]
    if not force and not _mostly_numbers(found, unknown):
        return None
    found.markers = tuple(rest)
    found.notations = _common(found.cells)
    return found


def _may_be(values: list[str]) -> bool:
    """A quick look: a column of words must not be read cell by cell."""
    looked = values[:QUICK_LOOK]
    digits = sum(any(map(str.isdigit, value)) for value in looked)
    return digits >= QUICK_SHARE * len(looked)


def _mostly_numbers(found: NumberColumn, unknown: list[str]) -> bool:
    numbers = sum(found.counts[value] for value in found.cells)
    others = sum(found.counts[value] for value in unknown)
    share = numbers / (numbers + others) if numbers else 0.0
    if share >= MIN_SHARE:
        return True
    return share >= MARKER_SHARE and len(unknown) <= FEW_WORDS and len(found.cells) > MANY_NUMBERS


def _find_units(found: NumberColumn) -> None:
    """Tell units (most numbers have it) from flags (few have one); drop cells of neither."""
    units = Counter[str]()
    for text, cell in found.cells.items():
        units[cell.unit] += found.counts[text]
    total = sum(units.values())
    named = [(unit, count) for unit, count in units.most_common() if unit]
    if named:
        unit, count = named[0]
        if count >= UNIT_SHARE * total or unit in CURRENCIES or unit in {"%", "‰"}:
            found.unit, found.units = unit, (unit,)
    others = {unit: count for unit, count in named if unit != found.unit}
    flags = {u: n for u, n in others.items() if len(u) <= LONGEST_FLAG}
    if found.unit and others and _is_unit(next(iter(others)), found.unit):
        found.other_unit = (found.unit, next(iter(others)))
    elif sum(others.values()) <= UNIT_SHARE * total and len(flags) <= MAX_FLAGS:
        found.flags = flags
    found.cells = {
        text: cell
        for text, cell in found.cells.items()
        if cell.unit in {"", found.unit, *found.flags} or found.other_unit
    }


def _is_unit(other: str, unit: str) -> bool:
    measures = ("g", "kg", "mg", "t", "m", "cm", "mm", "km", "l", "ml", "s", "min", "h", "ms", "lb")
    return (unit in CURRENCIES and other in CURRENCIES) or (
        unit in measures and other in measures
    )  # fmt: skip


def _is_code_list(cells: Mapping[str, NumberCell], counts: Mapping[str, int]) -> bool:
    """Whether the ranges are something else: a score 2-1, a phone number, a day and month."""
    ranges = [cell for cell in cells.values() if cell.high is not None]
    if not ranges or len(ranges) < len(cells) / 2:
        return False
    rising = all(
        (value_of(c.body, ("", ".")) or 0) <= (value_of(c.high or "", ("", ".")) or 1)
        for c in ranges
    )
    cells_in_all = sum(counts[text] for text in cells)
    return not rising or (len(ranges) > 30 and len(ranges) > cells_in_all / 2)


def _common(cells: Mapping[str, NumberCell]) -> frozenset[Notation]:
    common = frozenset(NOTATIONS)
    for cell in cells.values():
        common &= cell.notations
    return common


def change_of_notation(found: NumberColumn, lines: Mapping[str, int]) -> tuple[str, str, int]:
    """Return a cell of each of two notations, and the line where the second begins."""
    in_order = sorted(found.cells, key=lambda text: lines[text])
    common, first = frozenset(NOTATIONS), in_order[0]
    for text in in_order:
        left = common & found.cells[text].notations
        if not left:
            return first, text, lines[text]
        if left != common:
            first = text
        common = left
    return first, in_order[-1], lines[in_order[-1]]


def preferred(found: NumberColumn, notations: frozenset[Notation]) -> Notation:
    """Return one of several notations that give the same numbers: the plainest."""
    for notation in NOTATIONS:
        if notation in notations and not notation[0]:
            return notation
    grouped = [
        n for n in NOTATIONS
        if n in notations and any(is_grouped(c.body, n) for c in found.cells.values())
    ]  # fmt: skip
    return grouped[0] if grouped else next(n for n in NOTATIONS if n in notations)


__all__ = ["COMMA", "POINT", "NumberColumn", "change_of_notation", "preferred", "read_numbers"]
