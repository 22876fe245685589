"""Names of columns: joined from several header lines, trimmed, and each one once."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence

from learning.errors import listed
from learning.schema.notice import Notice, spans

SPACES = re.compile(r"\s+")
UNIT = re.compile(
    r"^[\[(]?(?:%|‰|[€$£¥]|°[CFK]?|(?:[mcdkµunMGh]?(?:m|g|l|L|s|A|V|W|Hz|Pa|J|N|K|mol|cd|t|bar|"
    r"b|B|eV|M)[²³23]?(?:/[\w²³]+)*)|mph|km/h|min|h|d|yr|years?|days?|hours?|ft|in|lb|lbs|oz|"
    r"ha|USD|EUR|CZK|ppm|ppb|mmHg|pH|pcs|ks|Stk\.?|kcal|kJ|IU|px|dB|rpm|-|–)[\])]?$"
)
TECHNICAL = re.compile(
    r"^(?:\{\s*['\"]?ImportId.*\}|<\w+>|(?:var)?char(?:\(\d+\))?|u?int(?:eger)?\d*|float\d*|double|"
    r"string|str|text|bool(?:ean)?|date(?:time)?|timestamp|numeric|object|factor|chr|dbl|lgl)$",
    re.IGNORECASE,
)
LONGEST_NAME = 200  # characters


def squeezed(name: str) -> str:
    """Return a name without blanks around it, and one blank for each run inside."""
    return SPACES.sub(" ", name.replace("\ufeff", "").replace("\u00a0", " ")).strip()


def is_unit_line(cells: Sequence[str]) -> bool:
    """Whether a header line holds units and nothing else."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and all(UNIT.match(cell) for cell in filled)


def is_technical_line(cells: Sequence[str]) -> bool:
    """Whether a header line is for programs: types, or a survey tool's ids."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and all(TECHNICAL.match(cell) for cell in filled)


def join_names(lines: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return a name per column; a group's name stands above its first column alone."""
    padded = [[squeezed(cell) for cell in [*line, *[""] * width][:width]] for line in lines]
    for upper, below in itertools.pairwise(padded):
        _spread(upper, below)
    names = []
    for parts in zip(*padded, strict=True):
        kept: list[str] = []
        for part in parts:
            if part and _plain(part) not in map(_plain, kept):
                kept.append(part)
        names.append(" ".join(kept)[:LONGEST_NAME])
    return names


def _plain(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()


def _spread(upper: list[str], below: list[str]) -> None:
    # A merged cell is exported as its text and blanks to its right, up to the next group. Where
    # the first column has a name of its own below, it belongs to no group.
    if all(upper) or len(set(filter(None, below))) < 2:
        return
    # Where groups have the same parts, such as length and width, another name begins outside.
    parts = {name for name, count in Counter(filter(None, below)).items() if count > 1}
    group = ""
    for i, name in enumerate(upper):
        group = name or ("" if parts and below[i] not in parts else group)
        if below[i]:
            upper[i] = group


def unique_names(names: Sequence[str], lines: Sequence[int]) -> tuple[list[str], list[Notice]]:
    """Name blank and doubled columns by their position, from 1, and say so."""
    counts = Counter(names)
    blank = [i + 1 for i, name in enumerate(names) if not name]
    doubled = [name for name, count in counts.items() if name and count > 1]
    found = []
    taken = {name for name, count in counts.items() if count == 1}
    for i, name in enumerate(names):
        new = name or f"column {i + 1}"
        if name in doubled:
            new = f"{name} (column {i + 1})"
        while new != name and new in taken:
            new += "'"
        taken.add(new)
        found.append(new)
    notices = []
    if doubled:
        where = "; ".join(
            f"'{name}' stands above columns "
            + ", ".join(str(i + 1) for i, each in enumerate(names) if each == name)
            for name in doubled[:5]
        )
        notices.append(
            Notice("header_doubled", f"Names occur more than once: {where}. Each was given its "
                   "position, as in "
                   f"'{found[names.index(doubled[0])]}'.", lines=tuple(lines))
        )  # fmt: skip
    if blank and lines:
        notices.append(
            Notice("header_blank", f"Columns without a name were named by their position: "
                   f"{listed(f'column {i}' for i in blank)}.", lines=tuple(lines))
        )  # fmt: skip
    return found, notices


def header_notices(names: Sequence[str], raw: Sequence[str], lines: Sequence[int]) -> list[Notice]:
    """Say what was done to the names: joined from several lines, or blanks trimmed."""
    if len(lines) > 1:
        return [
            Notice("header_joined", f"The names of the columns were put together from "
                   f"{spans(lines)}, such as '{max(names, key=len)}'.", lines=tuple(lines))
        ]  # fmt: skip
    trimmed = [name for name, cell in zip(names, raw, strict=False) if name and name != cell]
    if trimmed:
        return [
            Notice("header_trimmed", "Blanks around or inside names were removed: "
                   f"{listed(trimmed)}.", lines=tuple(lines))
        ]  # fmt: skip
    return []
