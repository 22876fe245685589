"""Clean tables written in a random dialect, as programs and people write them."""

from dataclasses import dataclass

import pandas as pd
from hypothesis import strategies as st

WORDS = ["alpha", "beta", "žlutá", "größe", "gamma delta", "šedá"]


@dataclass(frozen=True)
class Dialect:
    delimiter: str
    encoding: str
    decimal: str
    thousands: str
    quote_all: bool
    preamble: tuple[str, ...]
    footnotes: tuple[str, ...]
    marker: str
    line_end: str
    unit_line: bool


@st.composite
def dialects(draw: st.DrawFn) -> Dialect:
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    decimal = draw(st.sampled_from([".", ","]))
    thousands = draw(st.sampled_from(["", " ", "'", "," if decimal == "." else "."]))
    return Dialect(
        delimiter=delimiter,
        encoding=draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1250"])),
        decimal=decimal,
        thousands=thousands,
        quote_all=delimiter in (decimal, thousands) or draw(st.booleans()),
        preamble=draw(st.sampled_from([(), ("Report of the year",), ("Title", "made by us", "")])),
        footnotes=draw(st.sampled_from([(), ("Source: our own",), ("", "* a note", "** another")])),
        marker=draw(st.sampled_from(["", "n/a", "-", "NA", "***", "..."])),
        line_end=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        unit_line=draw(st.booleans()),
    )


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Two columns of numbers, some missing, one of words and one of dates."""
    rows = draw(st.integers(12, 40))
    cents = st.integers(-(10**7), 10**9).map(lambda n: n / 100)
    amounts = st.lists(st.none() | cents, min_size=rows, max_size=rows)
    counts = st.lists(st.integers(0, 5000), min_size=rows, max_size=rows)
    words = st.lists(st.sampled_from(WORDS), min_size=rows, max_size=rows)
    days = st.lists(st.integers(0, 4000), min_size=rows, max_size=rows)
    start = pd.Timestamp("2012-01-01")
    return pd.DataFrame(
        {
            "amount": pd.Series(draw(amounts), dtype="float64"),
            "rooms": pd.Series(draw(counts), dtype="float64"),
            "colour": draw(words),
            "day": [start + pd.Timedelta(days=day) for day in draw(days)],
        }
    )


def written(frame: pd.DataFrame, dialect: Dialect) -> bytes:
    """The table as a file in that dialect."""

    def number(value: float | None, decimals: int) -> str:
        if value is None or value != value:  # noqa: PLR0124 (NaN is missing)
            return dialect.marker
        shown = f"{value:,.{decimals}f}"
        marks = {",": dialect.thousands, ".": dialect.decimal}
        return "".join(marks.get(mark, mark) for mark in shown)

    def line(cells: list[str]) -> str:
        if dialect.quote_all:
            cells = [f'"{cell}"' for cell in cells]
        return dialect.delimiter.join(cells)

    rows = [
        line([number(a, 2), number(r, 0), c, d.strftime("%Y-%m-%d")])
        for a, r, c, d in frame.itertuples(index=False)
    ]
    units = [line(["EUR", "-", "-", "-"])] if dialect.unit_line else []
    lines = [*dialect.preamble, line(list(frame.columns)), *units, *rows, *dialect.footnotes]
    text = dialect.line_end.join(lines) + dialect.line_end
    return text.encode(dialect.encoding)
