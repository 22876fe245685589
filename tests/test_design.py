"""docs/design.md names files, tests and statements that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DESIGN = ROOT / "docs" / "design.md"
FOLDERS = "|".join(path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != ".")

# A path from the root, wherever it stands, pictures included.
PATH = re.compile(rf"(?<![\w./])(?:{FOLDERS})/[\w./-]*")
# `path::name`, which may end in … or _ where several names begin alike.
NAMED = re.compile(r"`([\w./-]+\.py)::(\w+…?)`")
# What stands in backticks and looks like a file must be a path from the root.
FILE = re.compile(r"`([\w./-]+\.(?:py|sql|lua|toml|yml))(?:::\w+…?)?`")


def found(pattern: re.Pattern[str]) -> list[str]:
    """What a pattern finds in the document, each once."""
    return sorted({match.group().strip("`") for match in pattern.finditer(DESIGN.read_text())})


def exists(path: str) -> bool:
    """Whether there is such a file or folder, or one whose name begins so, as with migrations."""
    whole = ROOT / path
    if path.endswith("/") or whole.suffix:
        return whole.exists()
    return any(whole.parent.glob(f"{whole.name}*"))


@cache
def names_in(path: str) -> list[str]:
    """The functions, classes and constants that a module defines itself."""
    names: list[str] = []
    for node in ast.parse((ROOT / path).read_text()).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.append(name)
            case ast.Assign(targets=[ast.Name(id=name)]):
                names.append(name)
    return names


@pytest.mark.parametrize("path", found(PATH))
def test_each_path_exists(path: str) -> None:
    assert exists(path.rstrip("."))


@pytest.mark.parametrize("named", found(NAMED))
def test_each_test_and_statement_exists(named: str) -> None:
    path, name = named.split("::")
    beginning = name.rstrip("…")
    if beginning == name and not name.endswith("_"):
        assert name in names_in(path)
    else:
        assert any(each.startswith(beginning) for each in names_in(path))


def test_files_are_named_by_their_whole_path() -> None:
    assert [each for each in found(FILE) if not (ROOT / each.split("::")[0]).is_file()] == []


def test_there_is_something_to_check() -> None:
    assert len(found(PATH)) > 40
    assert len(found(NAMED)) > 20
