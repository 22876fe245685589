"""The tree of errors in `errors.py` is complete, and its paths are true."""

import ast
import re
from pathlib import Path

import errors

ROOT = Path(__file__).parent.parent
ELSEWHERE = (".", "tests", "build", "dist")


def direct_subclasses() -> dict[str, str]:
    """Direct subclasses of InsightsError in our code: name → path."""
    found = {}
    for file in sorted(ROOT.rglob("*.py")):
        path = file.relative_to(ROOT)
        if path.parts[0].startswith(ELSEWHERE):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and "InsightsError" in map(ast.unparse, node.bases):
                found[node.name] = str(path)
    return found


def test_the_tree_shows_each_error_and_where_it_is() -> None:
    assert errors.__doc__
    drawn = re.findall(r"^[├└]── (\w+) +([\w/.]+)", errors.__doc__, re.MULTILINE)

    tree = {name: "errors.py" if path == "here" else path for name, path in drawn}

    assert tree == direct_subclasses()
