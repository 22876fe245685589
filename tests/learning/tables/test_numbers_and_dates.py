"""Numbers, dates and texts as people have them: rows 1 to 7 of the list."""

import pandas as pd
import pytest

from tests.learning.tables.clean import (
    DAYS,
    NUMBERS,
    assert_as_clean,
    changed,
    codes,
    corrected,
    iris,
    said,
    table,
    text,
    trained_on,
    understood,
)

FIRST = NUMBERS[0]


@pytest.mark.parametrize(
    ("delimiter", "decimal"), [(";", ","), ("\t", ","), ("|", ","), ("~", ".")]
)
def test_01_delimiter_and_decimal_comma(delimiter: str, decimal: str) -> None:
    found = assert_as_clean(text(iris(), delimiter, decimal))
    assert found.schema.columns[0].decimal_mark == decimal
    assert ("decimal_mark" in codes(found)) == (decimal == ",")


@pytest.mark.parametrize("marker", ["n/k", "-", "k.A.", "missing", "#N/A", "?"])
@pytest.mark.parametrize("share", [0.03, 0.1])
def test_02_markers_in_numbers(marker: str, share: float) -> None:
    frame = iris().astype({FIRST: object})
    frame.loc[:: round(1 / share), FIRST] = marker
    found = assert_as_clean(text(frame), score=0.06)
    assert f"'{marker}'" in said(found, "markers")
    assert found.columns[0].missing_share == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("mark", [",", " ", "\u202f", "'", "."])
def test_03_thousands(mark: str) -> None:
    frame = changed(FIRST, lambda n: f"{round(n * 100_000):,}".replace(",", mark))  # type: ignore[operator]
    found = understood(text(frame, ";"))
    first = found.columns[0]
    if mark in ",.":
        assert first.question is not None or "decimal_mark_guessed" in codes(found)
        found = corrected(
            text(frame, ";"),
            answers={"notation:" + FIRST: "decimal comma" if mark == "." else "decimal point"},
        )
        first = found.columns[0]
    assert (first.type, first.question) == ("number", None)
    assert (first.low, first.high) == (430_000, 790_000)


def test_03_one_mark_alone_is_asked_about() -> None:
    frame = pd.DataFrame({"price": ["1.234", "2.500", "950"] * 10, "kind": list("abc") * 10})
    found = understood(text(frame, ";"))
    [notice] = [n for n in found.notices if n.needs_answer]
    assert "1.234" in notice.message
    assert not found.columns[0].is_feature
    for choice, value in (("decimal point", 950.0), ("decimal comma", 2500.0)):
        assert notice.id is not None
        answered = corrected(text(frame, ";"), answers={notice.id: choice})
        assert answered.columns[0].high == value


@pytest.mark.parametrize(
    ("write", "unit"),
    [
        (lambda n: f"{n}%", "%"),
        (lambda n: f"€ {n:.2f}".replace(".", ","), "€"),
        (lambda n: f"${n * 1000:,.2f}", "$"),
        (lambda n: f"{n:.1f} Kč".replace(".", ","), "Kč"),
        (lambda n: f"USD {n}", "USD"),
    ],
)
def test_04_percent_and_currency(write: object, unit: str) -> None:
    found = assert_as_clean(text(changed(FIRST, write), ";"))  # type: ignore[arg-type]
    assert found.columns[0].unit == unit


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("%Y-%m-%d", "YYYY-MM-DD"),
        ("%d.%m.%Y", "DD.MM.YYYY"),
        ("%d/%m/%Y", "DD/MM/YYYY"),
        ("%m/%d/%Y", "MM/DD/YYYY"),
        ("%d-%b-%Y", "DD-Mon-YYYY"),
        ("%b %d, %Y", "Mon DD, YYYY"),
        ("%d.%m.%y", "DD.MM.YY"),
        ("%Y%m%d", "YYYYMMDD"),
        ("%m/%d/%Y %I:%M %p", "MM/DD/YYYY"),
    ],
)
def test_05_dates(form: str, shown: str) -> None:
    frame = iris()
    frame.insert(0, "day", DAYS.strftime(form))
    found = understood(text(frame))
    assert found.columns[0].type == "date"
    assert shown in said(found, "date_format")
    assert found.columns[0].low == DAYS[0].timestamp()
    assert trained_on(text(frame), found=found).metrics["f1"] > 0.85


def test_05_day_and_month_that_can_be_exchanged_are_asked_about() -> None:
    days = [
        f"{d:02}/{m:02}/2023" for d, m in zip([3, 1, 12, 7] * 10, [2, 9, 5, 5] * 10, strict=True)
    ]
    content = table("day,kind", [f"{day},{'ab'[i % 2]}" for i, day in enumerate(days)])
    found = understood(content)
    [notice] = [n for n in found.notices if n.needs_answer]
    assert notice.choices == ("DD/MM/YYYY", "MM/DD/YYYY")
    answered = corrected(content, answers={notice.id: "MM/DD/YYYY"})
    assert answered.columns[0].format == "%m/%d/%Y"
    assert answered.columns[0].is_feature


def test_05_two_date_formats_are_asked_about_with_the_line() -> None:
    rows = [f"2023-01-{d:02},a" for d in range(1, 20)] + [f"{d:02}.02.2023,b" for d in range(1, 20)]
    found = understood(table("day,kind", rows))
    [notice] = [n for n in found.notices if n.needs_answer]
    assert "line 21" in notice.message
    assert notice.lines == (2, 21)


def test_06_zones() -> None:
    moments = ["2023-01-31T10:00:00+01:00", "2023-01-31T10:00:00Z", "2023-01-31 10:00:00"] * 5
    found = understood(table("at,kind", [f"{m},{'ab'[i % 2]}" for i, m in enumerate(moments)]))
    assert (found.columns[0].type, found.columns[0].utc) == ("date", True)
    assert "zone_missing" in codes(found)
    assert found.columns[0].low == pd.Timestamp("2023-01-31T09:00Z").timestamp()


def test_07_free_text_is_learnt_from() -> None:
    kinds = ["rose", "iris", "lily"]
    words = {
        "rose": "with thorns and a sweet smell",
        "iris": "blue and yellow on a long stem",
        "lily": "white and waxy in the water",
    }
    rows = [
        f"a plant number {i * 7 % 101} {words[kinds[i % 3]]} seen in spot {i},{kinds[i % 3]}"
        for i in range(120)
    ]
    content = table("remark of the finder,kind", rows)
    found = understood(content)
    assert found.columns[0].type == "text"
    assert trained_on(content, "kind").metrics["f1"] > 0.9
