"""Columns of words: categories, free text, ids, constants, and ticks where blank means no."""

import re
from collections import Counter, defaultdict

from learning.columns.context import Context, Finding
from learning.columns.markers import MARKERS, is_filler
from learning.errors import listed, shortened
from learning.schema.column import Column, ColumnType
from learning.schema.notice import Notice

MIN_IDS = 10  # rows, from which a different value in each is no accident
UNIQUE_SHARE = 0.95  # of the cells have a value of their own
PROSE_WORDS = 3.0  # mean words of a cell, from which it is text and not a label
LONG_CELL = 25  # mean characters, the same
TEXT_SHARE = 0.3  # different values among the cells: labels recur, text does not
FEW = 20  # different values that are labels, however long
MANY = 1_000  # different labels, from which only the frequent ones are learnt from
MAX_LABELS = 1_000  # kept in the schema
ALL_LABELS = 50_000  # kept in the schemas of all columns of a table
UUID = re.compile(r"\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.IGNORECASE)
WORDS_OF_TYPE: dict[str, ColumnType] = {
    "category": "category", "text": "text", "id": "id", "constant": "constant", "empty": "empty",
}  # fmt: skip


def infer_labels(context: Context) -> Finding:
    """Return what a column of words is."""
    tally = context.tally
    wanted = WORDS_OF_TYPE.get(context.correction.type or "")
    if wanted in {"text", "id", "constant", "empty"}:
        return Finding(Column(context.name, wanted))
    if wanted is None and tally.distinct == 1 and tally.complete:
        return _single(context)
    if wanted is None:
        kind = _kind(context)
        if kind is not None:
            return kind
    return _category(context)


def _single(context: Context) -> Finding:
    name, [value] = context.name, context.tally.values
    if context.tally.blank == 0 or context.tally.known <= 1:
        message = f"Every cell of '{name}' is '{shortened(value)}': it is not learnt from."
        return Finding(Column(name, "constant"), [Notice("constant", message, column=name)])
    message = (
        f"'{name}' holds '{shortened(value)}' or nothing: a blank cell was read as 'no' "
        f"({context.tally.blank:,} cells)."
    )
    column = Column(name, "category", blank_is_no=True, categories=("no", value))
    return Finding(column, [Notice("blank_is_no", message, column=name)])


def _kind(context: Context) -> Finding | None:
    """Free text and ids; None for labels."""
    tally, name = context.tally, context.name
    looked = tally.values[:500]
    words = sum(len(value.split()) for value in looked) / len(looked)
    length = sum(map(len, looked)) / len(looked)
    unique = tally.known >= MIN_IDS and tally.distinct >= UNIQUE_SHARE * tally.known
    if all(UUID.fullmatch(value) for value in looked):
        return _id(name, "its values are made by a program")
    prose = words >= PROSE_WORDS or (length >= LONG_CELL and words > 1.5)
    varied = tally.distinct > FEW and tally.distinct >= TEXT_SHARE * tally.known
    if prose and (varied or not tally.complete):
        message = f"The column '{name}' is free text: its words are learnt from."
        return Finding(Column(name, "text"), [Notice("text", message, column=name)])
    if unique:
        return _id(name, "nearly every row has its own value")
    return None


def _id(name: str, why: str) -> Finding:
    message = f"The column '{name}' is an id ({why}): it is not learnt from."
    return Finding(Column(name, "id", reason=why), [Notice("id", message, column=name)])


def _category(context: Context) -> Finding:
    tally, name = context.tally, context.name
    counts = Counter(dict(zip(tally.values, tally.counts.tolist(), strict=True)))
    spellings: dict[str, list[str]] = defaultdict(list)
    for value, _ in counts.most_common():
        spellings[value.casefold()].append(value)
    doubled = {words[0]: words for words in spellings.values() if len(words) > 1}
    labels = (
        [words[0] for words in spellings.values()]
        if doubled
        else [v for v, _ in counts.most_common()]
    )
    notices = []
    if doubled:
        shown = listed(" = ".join(f"'{w}'" for w in words) for words in doubled.values())
        message = f"In '{name}', spellings were taken for one label: {shown}."
        notices.append(Notice("spelling", message, column=name))
    odd = [v for v in tally.values if v.casefold() in MARKERS or is_filler(v)]
    if odd and len(odd) < len(labels):
        shown = listed(f"'{v}'" for v in odd)
        message = (
            f"In '{name}', {shown} was kept as a label of its own. If it "
            "means that there is no value, leave those cells blank."
        )
        where = tuple(sorted(context.lines[v] for v in odd))
        notices.append(Notice("label_like_missing", message, column=name, lines=where))
    if tally.distinct > MANY or not tally.complete:
        more = "" if tally.complete else "more than "
        message = (
            f"'{name}' has {more}{tally.distinct:,} different labels: the frequent ones are learnt "
            "from, the others count as one."
        )
        notices.append(Notice("many_labels", message, column=name))
    column = Column(
        name, "category", fold_case=bool(doubled), categories=tuple(labels[:MAX_LABELS])
    )
    return Finding(column, notices)
