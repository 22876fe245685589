"""Tables as people have them: rows 1 to 35 of the list, each in variants."""

import gzip
import json
import zipfile
from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from learning import MissingColumns, UnreadableData, UnusableTarget, answer, prepare
from tests.learning.tables.clean import (
    CLEAN,
    NUMBERS,
    TARGET,
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


DAYS = pd.date_range("2023-01-01", periods=150, freq="3D")


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


@pytest.mark.parametrize("name", ["id", "Patient-ID", "", "nr", "n"])
def test_08_ids_in_a_file_sorted_by_class(name: str) -> None:
    frame = iris().sort_values(TARGET).reset_index(drop=True)
    frame.insert(0, name, range(1, 151))
    found = assert_as_clean(text(frame), score=0.1)
    assert found.columns[0].type == "id"
    assert "id" in codes(found)


@pytest.mark.parametrize(
    "rename", [str, lambda k: {"setosa": "A", "versicolor": "B", "virginica": "C"}[k]]
)
def test_09_a_copy_of_the_target(rename: object) -> None:
    frame = iris()
    frame["copy"] = frame[TARGET].map(rename)  # type: ignore[arg-type]
    notices = trained_on(text(frame)).notices
    assert [n.column for n in notices if n.code == "gives_target_away"] == ["copy"]


def test_10_rows_that_are_doubled() -> None:
    frame = iris().drop_duplicates()
    found = understood(text(pd.concat([frame] * 3)))
    assert f"{2 * len(frame):,} rows" in said(found, "duplicates")


def test_11_zeros_before_a_target() -> None:
    rows = [f"{i % 7},{['01234', '1234'][i % 2]}" for i in range(60)]
    content = table("size,code", rows)
    assert trained_on(content, "code").classes == ("01234", "1234")


def test_12_none_and_na_are_labels() -> None:
    rows = [
        f"{i},{['None', 'mild', 'bad'][i % 3]},{['NA', 'DE', 'FR', ''][i % 4]}" for i in range(60)
    ]
    content = table("size,class,country", rows)
    found = understood(content)
    assert set(found.columns[2].categories) == {"NA", "DE", "FR"}
    assert found.columns[2].missing == 15
    assert trained_on(content, "class").classes == ("None", "bad", "mild")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([i * i % 18 for i in range(90)], "regression"),
        ([1990 + i % 30 for i in range(90)], "regression"),
        ([f'"{i % 40 + 1},{i * 37 % 1000:03}"' for i in range(90)], "regression"),
        ([1 + i % 5 for i in range(90)], "classification"),
        ([i % 10 for i in range(90)], "classification"),
    ],
)
def test_13_amounts_and_classes(values: list[object], kind: str) -> None:
    content = table("a,b,goal", [f"{i % 13}.5,{i % 4},{v}" for i, v in enumerate(values)])
    found = understood(content)
    question = [n.id for n in found.notices if n.needs_answer and n.column == "goal"]
    if question:
        found = corrected(content, answers={question[0]: "decimal point"})
    trained = trained_on(content, "goal", found=found)
    assert trained.problem_type == kind
    assert kind in " ".join(n.message for n in trained.notices if n.code == "problem_type")


def test_14_labels_in_several_spellings() -> None:
    labels = ["yes", "Yes ", "YES", "no", "No", "?"]
    content = table("a,goal", [f"{i % 9},{labels[i % 6]}" for i in range(90)])
    found = understood(content)
    assert {"spelling", "label_like_missing"} <= codes(found)
    assert trained_on(content, "goal").classes == ("?", "no", "yes")


def test_15_numbers_that_are_longer_than_exact() -> None:
    rows = [f"{2**53 + i // 2 if i else ''},{i % 3}" for i in range(60)]
    found = understood(table("account,kind", rows))
    assert found.columns[0].type in {"category", "id"}
    assert str(2**53 + 1) in found.columns[0].examples


def test_16_doubled_and_blank_names() -> None:
    content = table("a,b,a,", [f"{i % 5},{i % 3},{i % 7},{i % 4}" for i in range(40)])
    found = understood(content)
    assert [c.name for c in found.columns] == ["a (column 1)", "b", "a (column 3)", "column 4"]
    assert {"header_doubled", "header_blank"} <= codes(found)
    with pytest.raises(UnusableTarget, match="stands above 2 columns"):
        trained_on(content, "a")


def test_17_rows_with_too_few_and_too_many_cells() -> None:
    lines = text(iris()).splitlines()
    lines[10] = lines[10].rsplit(",", 1)[0]
    lines[20] += ",and more"
    found = understood("\n".join(lines))
    assert found.row_count == 148
    assert [n.lines for n in found.notices if n.code == "rows_short"] == [(11,)]
    assert [n.lines for n in found.notices if n.code == "rows_long"] == [(21,)]


def test_17_many_such_rows_are_refused() -> None:
    lines = text(iris()).splitlines()
    lines[1::2] = [line + ",1" for line in lines[1::2]]
    lines[2::4] = [line + ",1,2" for line in lines[2::4]]
    with pytest.raises(UnreadableData, match=r"[Ll]ine \d+"):
        understood("\n".join(lines))


@pytest.mark.parametrize("label", ["Total", "Celkem", "GESAMT", "Sum:", ""])
def test_18_a_total_row(label: str) -> None:
    frame = iris()
    sums = ",".join(f"{frame[name].sum():.1f}" for name in NUMBERS)
    found = assert_as_clean(text(frame) + f"{sums},{label}\n")
    [notice] = [n for n in found.notices if n.code == "total_rows"]
    assert notice.lines == (152,)
    assert notice.choices == ("leave out", "keep")
    kept = corrected(text(frame) + f"{sums},{label}\n", answers={"totals": "keep"})
    assert kept.row_count == 151


def test_19_no_header() -> None:
    content = text(iris()).split("\n", 1)[1]
    found = understood(content)
    assert [c.name for c in found.columns] == [f"column {i}" for i in range(1, 6)]
    assert "header_missing" in codes(found)
    assert found.row_count == 150


@pytest.mark.parametrize(
    "above",
    [
        "Iris data\n",
        "Report, 2023\nby R. A. Fisher, on request\n\n",
        "Iris;;;;\n;;;;\n",
        '"Iris, all"\n',
    ],
)
def test_20_lines_above_the_header(above: str) -> None:
    found = assert_as_clean(above + text(iris(), ";" if ";" in above else ","))
    assert "lines_above" in codes(found)


def test_20_a_line_that_names_the_delimiter() -> None:
    assert_as_clean("sep=;\n" + text(iris(), ";", ","))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html>\n<html><table><tr><td>1</td></tr></table></html>", "web page"),
        (b"\n <html lang='en'><body>a,b\n1,2</body></html>", "web page"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image"),
        (b"MZ\x90\0\3\0\0\0", "program"),
        (b"\x7fELF\2\1\1\0", "program"),
        (b"<?xml version='1.0'?><rows><row/></rows>", "XML"),
        (b"{\\rtf1\\ansi text}", "text document"),
        (b"SQLite format 3\0", "database"),
    ],
)
def test_21_what_is_no_table(content: bytes, what: str) -> None:
    with pytest.raises(UnreadableData, match=what):
        understood(content)


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("as_text", [True, False])
def test_22_json(lines: bool, as_text: bool) -> None:
    frame = iris().astype(dict.fromkeys(NUMBERS, str)) if as_text else iris()
    content = frame.to_json(orient="records", lines=lines)
    assert_as_clean(content)
    assert_as_clean("\n" + json.dumps({"data": json.loads(frame.to_json(orient="records"))}))


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1250", ["kosatec žlutý", "růže šípková", "třešeň"]),
        ("iso8859-2", ["žluťoučký kůň", "šípek", "řeřicha"]),
        ("cp1252", ["Schwertlilie größer", "für Gärten", "weiß"]),
        ("cp1252", ["crème brûlée", "forêt", "à côté"]),
        ("cp1251", ["ирис щетинистый", "роза", "ландыш"]),
        ("utf-16", ["žlutá", "größe", "ирис"]),
        ("utf-16-le", ["iris a", "iris b", "größe"]),
        ("utf-16-be", ["iris a", "iris b", "größe"]),
        ("cp932", ["アイリス", "桜の花", "菊"]),
        ("gb18030", ["山鸢尾", "变色鸢尾", "维吉尼亚鸢尾"]),
        ("utf-8-sig", ["žlutá", "größe", "ирис"]),
    ],
)
def test_23_encodings(encoding: str, names: list[str]) -> None:
    frame = iris()
    frame[TARGET] = frame[TARGET].map(
        dict(zip(["setosa", "versicolor", "virginica"], names, strict=True))
    )
    content = text(frame).encode(encoding)
    # The classes have another order, so that the split is another one.
    found = assert_as_clean(content, score=0.1)
    assert set(found.columns[-1].categories) == set(names)
    assert ("encoding" in codes(found)) == (encoding != "utf-8-sig")


def test_23_two_encodings_in_one_file() -> None:
    frame = iris()
    frame[TARGET] = frame[TARGET].map({"setosa": "größe", "versicolor": "weiß", "virginica": "v"})
    lines = text(frame).splitlines()
    content = b"\n".join(
        line.encode("utf-8" if i % 3 else "cp1252") for i, line in enumerate(lines)
    )
    found = assert_as_clean(content)
    assert "encoding_mixed" in codes(found)
    assert set(found.columns[-1].categories) == {"größe", "weiß", "v"}


def zipped(**files: bytes) -> bytes:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return archive.getvalue()


def test_24_archives() -> None:
    content = text(iris()).encode()
    assert assert_as_clean(gzip.compress(content)).format == "csv (gzip)"
    assert (
        assert_as_clean(zipped(table=content, **{"__MACOSX/._table": b"x"})).format == "csv (zip)"
    )
    with pytest.raises(UnreadableData, match="first.csv, second.csv"):
        understood(zipped(**{"first.csv": content, "second.csv": content}))
    with pytest.raises(UnreadableData, match="damaged"):
        understood(gzip.compress(content)[:-20])


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped(table=data)])
def test_24_archives_that_unpack_to_too_much(pack: object) -> None:
    content = b"a,b\n" + b"1,2\n" * 100_000
    with pytest.raises(UnreadableData, match="MB are possible"):
        understood(pack(content), max_bytes=100_000)  # type: ignore[operator]


def workbook(*sheets: tuple[str, pd.DataFrame, int], title: str | None = None) -> bytes:
    file = BytesIO()
    with pd.ExcelWriter(file, engine="xlsxwriter") as writer:
        for name, frame, row in sheets:
            frame.to_excel(writer, sheet_name=name, index=False, startrow=row)
            if title:
                writer.sheets[name].merge_range(0, 0, 0, 4, title)
    return file.getvalue()


def test_25_excel() -> None:
    other = pd.DataFrame({"x": [1, 2], "y": [3, 4]})
    content = workbook(("flowers", iris(), 2), ("other", other, 2), title="All flowers")
    found = assert_as_clean(content)
    assert "'flowers'" in said(found, "sheet")
    assert "other" in said(found, "sheet")
    assert understood(content, sheet="other").row_count == 2
    with pytest.raises(UnreadableData, match="flowers, other"):
        understood(content, sheet="third")


def test_25_dates_in_excel() -> None:
    frame = iris()
    frame.insert(0, "day", DAYS)
    found = understood(workbook(("one", frame, 0)))
    assert (found.columns[0].type, found.columns[0].low) == ("date", DAYS[0].timestamp())


def test_25_a_workbook_that_declares_too_much() -> None:
    content = zipped(**{"xl/workbook.xml": b"<x/>", "xl/worksheets/sheet1.xml": b" " * 262_000_000})
    assert len(content) < 1_000_000
    with pytest.raises(UnreadableData, match="declares 262 MB"):
        understood(content)


def test_26_parquet() -> None:
    frame = iris()
    frame[TARGET] = frame[TARGET].astype("category")
    file = BytesIO()
    frame.to_parquet(file)
    assert_as_clean(file.getvalue())
    frame["at"] = pd.date_range("2023-01-01", periods=150, tz="Europe/Prague")
    frame["many"] = [[1, 2]] * 150
    file = BytesIO()
    frame.to_parquet(file)
    with pytest.raises(UnreadableData, match="many are nested"):
        understood(file.getvalue())
    file = BytesIO()
    frame.drop(columns="many").to_parquet(file)
    assert understood(file.getvalue()).columns[-1].type == "date"


def test_27_delimiters_that_the_header_hides() -> None:
    frame = iris()
    content = text(frame).replace(FIRST, '"length;of;sepals"')
    assert understood(content).columns[0].name == "length;of;sepals"
    spaced = frame.rename(columns=lambda name: name.replace(" ", "_")).to_string(index=False)
    found = understood(spaced)
    assert [c.type for c in found.columns] == ["number"] * 4 + ["category"]
    assert found.row_count == 150


def test_28_a_comma_at_the_end_of_each_line() -> None:
    lines = text(iris()).splitlines()
    assert_as_clean("\n".join(line + "," for line in lines))
    assert_as_clean("\n".join([lines[0], *(line + "," for line in lines[1:])]))


def test_29_classes_of_unequal_size() -> None:
    rows = [f"{i * 7 % 13},{'rare' if i % 50 == 0 else 'usual'}" for i in range(200)]
    trained = trained_on(table("a,goal", rows), "goal")
    [notice] = [n for n in trained.notices if n.code == "imbalance"]
    assert "98.0% of the rows are 'usual'" in notice.message


def test_30_few_rows_and_rare_classes() -> None:
    rows = [f"{i % 7}.5,{'ab'[i % 2]}" for i in range(29)] + ["1.5,c"]
    assert "'c' (1)" in " ".join(
        n.message for n in trained_on(table("a,goal", rows), "goal").notices
    )
    with pytest.raises(Exception, match="at least 10"):
        trained_on(table("a,goal", rows[:2]), "goal")


def test_31_many_different_labels() -> None:
    rng = np.random.default_rng(0)
    rows = [f"{w},{i % 5}.5,{'ab'[i % 2]}" for i, w in enumerate(rng.integers(0, 15_000, 40_000))]
    content = table("word,size,kind", [f"w{row}" for row in rows])
    found = understood(content)
    assert found.columns[0].type == "category"
    assert "many_labels" in codes(found)
    assert len(found.columns[0].categories) <= 1_000


def test_31_two_thousand_such_columns() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{j}": rng.integers(0, 10**9, 300) for j in range(2_000)})
    found = understood(text(frame.map(lambda n: f"w{n}")))
    assert found.column_count == 2_000
    assert all(len(c.categories) <= 50 for c in found.columns)


def test_32_constant_empty_and_uuid_columns() -> None:
    frame = iris()
    frame["same"], frame["nothing"] = "x", None
    frame["key"] = [f"{i:08x}-0000-4000-8000-{i * 7919:012x}" for i in range(150)]
    found = understood(text(frame))
    assert {c.name: c.type for c in found.columns[5:]} == {
        "same": "constant",
        "nothing": "empty",
        "key": "id",
    }
    assert {"constant", "empty", "id"} <= codes(found)
    assert trained_on(text(frame)).feature_names == tuple(NUMBERS)


@pytest.mark.parametrize(
    ("labels", "positive"),
    [(["Cardiac", "NonCardiac", "NonCardiac"], "Cardiac"), (["no", "yes"], "yes")],
)
def test_33_the_positive_class_is_shown(labels: list[str], positive: str) -> None:
    rows = [f"{i % 7},{labels[i % len(labels)]}" for i in range(60)]
    trained = trained_on(table("a,goal", rows), "goal")
    assert f"'{positive}'" in " ".join(
        n.message for n in trained.notices if n.code == "positive_class"
    )


def test_34_weather_by_hour() -> None:
    at = pd.date_range("2023-03-01", periods=600, freq="h")
    rng = np.random.default_rng(0)
    warmth = 10 + 8 * np.sin((at.hour.to_numpy() - 6) / 24 * 2 * np.pi) + rng.normal(0, 0.3, 600)
    frame = pd.DataFrame({"at": at.strftime("%d.%m.%Y %H:%M"), "warmth": warmth.round(2)})
    trained = trained_on(text(frame), "warmth")
    assert trained.metrics["r2"] > 0.9
    assert "time" in {n.code for n in trained.notices}


def test_35_rows_to_predict() -> None:
    rows = pd.DataFrame({name: ["5.1", "abc", -999] for name in reversed(NUMBERS)}, dtype=object)
    rows["extra"] = 1
    found = answer(CLEAN, rows)
    assert len(found.predictions) == 3
    said = {n.code: n for n in found.notices}
    assert "extra" in said["extra_columns"].message
    assert "Row 2" in said["not_readable"].message
    assert "'abc'" in said["not_readable"].message
    outside = {n.column: n.message for n in found.notices if n.code == "out_of_range"}
    assert "Row 3" in outside[FIRST]
    with pytest.raises(MissingColumns, match="petal width"):
        answer(CLEAN, rows.drop(columns="petal width"))
    assert answer(CLEAN, []).predictions == []


def test_35_a_town_that_the_training_never_saw() -> None:
    rows = [f"{['Oslo', 'Bern', 'Rome'][i % 3]},{i % 3 * 2 + 1}.5" for i in range(60)]
    training = prepare(
        BytesIO(table("town,goal", rows).encode()), target="goal", algorithm="linear_regression",
        problem_type=None, hyperparameters={},
    )  # fmt: skip
    trained = training.run(lambda *_: None)
    found = answer(trained, [{"town": "Paris"}, {"town": "Oslo"}])
    assert "'Paris'" in found.notices[0].message
    assert "other" in found.notices[0].message
