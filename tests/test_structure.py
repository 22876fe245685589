"""What machines can see of the structure: imports, which file writes a table, sizes."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
NOT_OURS = {"build", "dist", "node_modules"}
PRODUCT = (
    "cli", "events", "handlers", "learning", "models", "runtime", "services", "web", "workers",
)  # fmt: skip
# Only the commands that start the measurements know them.
IMPORTERS_OF_BENCHMARKS = {"cli/bench.py", "cli/chaos.py"}
MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 40
# A migration is read as a whole, once, and never changed.
MIGRATIONS = "alembic/versions/"

# A statement that writes a table of ours. A row lock (FOR UPDATE) and an upsert (DO UPDATE SET)
# name no table; {} stands for a placeholder of an f-string, and the end for a name glued on.
WRITE = re.compile(
    r"\b(?:INSERT\s+INTO|MERGE\s+INTO|UPDATE|DELETE\s+FROM|COPY)\s+(?:ONLY\s+)?"
    r"(?:insights|public)\.(\w+|\{\}|\Z)",
    re.IGNORECASE,
)
TRUNCATE = re.compile(r"\bTRUNCATE\b([^;]*)", re.IGNORECASE)
TABLE = re.compile(r"\b(?:insights|public)\.(\w+|\{\}|\Z)")
# What SQLAlchemy builds such statements with.
WRITING_CONSTRUCTS = {"insert", "update", "delete"}
# Statements that must write a second table, by file and table.
WRITES_A_SECOND_TABLE = {
    # The claim of a probe and the time of the next are one statement, or two workers probe.
    ("models/deliveries/claim.py", "handlers"),
    # Pruning has a file of its own, named for the view that says what may go.
    ("models/prunable_events.py", "events"),
    # Erasing is a file of its own, so that reading and writing events is seen at a glance.
    ("models/erased_events.py", "events"),
}

Function = ast.FunctionDef | ast.AsyncFunctionDef
LITERALS = (ast.Constant, ast.Dict, ast.JoinedStr, ast.List, ast.Set, ast.Tuple)


@cache
def modules() -> dict[str, ast.Module]:
    """Every Python file of the repository by its path, parsed."""
    folders = [
        folder
        for folder in ROOT.iterdir()
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in NOT_OURS
    ]
    files = [*ROOT.glob("*.py"), *(file for folder in folders for file in folder.rglob("*.py"))]
    return {
        file.relative_to(ROOT).as_posix(): ast.parse(file.read_text(encoding="utf-8"))
        for file in sorted(files)
        if not NOT_OURS & set(file.parts)
    }


def package_of(name: str) -> str:
    """The top-level package or module of a dotted name or of a path."""
    return re.split(r"[./]", name, maxsplit=1)[0]


def product_modules() -> dict[str, ast.Module]:
    return {path: tree for path, tree in modules().items() if package_of(path) in PRODUCT}


def imports_of(tree: ast.Module) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it; `from a import b` gives `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A relative import would hide from these tests which package it reaches.
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def strings_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The strings of a module with their lines, but for docstrings."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):  # parents come before their children
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            skipped.update(node.values)
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield node.lineno, node.value


def tables_written_by(sql: str) -> set[str]:
    """The tables that the statements in a string write."""
    truncated = (table for rest in TRUNCATE.findall(sql) for table in TABLE.findall(rest))
    return {*WRITE.findall(sql), *truncated}


def may_write(path: str, table: str) -> bool:
    """Whether a file is the table's own: models/<table>.py, or one in models/<table>/."""
    # A partition that is named by itself.
    table = {"batches_in_hand": "batches"}.get(table, table)
    own = re.fullmatch(rf"models/{re.escape(table)}(\.py|/.*)", path) is not None
    return own or (path, table) in WRITES_A_SECOND_TABLE


def code_lines(function: Function) -> int:
    """The length of a function; a literal of data that it returns counts as one line."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    last = function.body[-1]
    if isinstance(last, ast.Return) and isinstance(last.value, LITERALS):
        lines -= (last.end_lineno or 0) - last.lineno
    return lines


def test_top_level_packages_import_each_other_without_cycles() -> None:
    # The name alembic is the library's: our folder is no package.
    ours = {package_of(path) for path in modules()} - {"alembic", "tests"}
    graph: dict[str, set[str]] = defaultdict(set)
    for path, tree in modules().items():
        package = package_of(path)
        if package in ours:
            imported = {package_of(name) for name in imports_of(tree)}
            graph[package] |= imported & ours - {package}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"These import each other: {' <- '.join(error.args[1])}")


def test_import_contracts_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    assert lint_imports(no_cache=True, no_logo=True) == 0


def test_the_product_does_not_import_its_benchmarks() -> None:
    importers = {
        path
        for path, tree in product_modules().items()
        if "benchmarks" in {package_of(name) for name in imports_of(tree)}
    }

    assert importers <= IMPORTERS_OF_BENCHMARKS


def test_each_table_is_written_by_its_own_file_in_models() -> None:
    strays = [
        f"{path}:{line} writes {table}"
        for path, tree in product_modules().items()
        for line, sql in strings_of(tree)
        for table in tables_written_by(sql)
        if not may_write(path, table)
    ]

    assert strays == []


def test_no_other_package_writes_through_sqlalchemy() -> None:
    strays = [
        f"{path} imports {name}"
        for path, tree in product_modules().items()
        for name in imports_of(tree)
        if package_of(path) != "models"
        if package_of(name) == "sqlalchemy" and name.rsplit(".", 1)[1] in WRITING_CONSTRUCTS
    ]

    assert strays == []


@pytest.mark.parametrize(
    ("source", "tables"),
    [
        ("session.execute(text('INSERT INTO insights.events AS e (id) VALUES (1)'))", {"events"}),
        ("X = 'WITH x AS (DELETE FROM ONLY public.profiles p) SELECT 1'", {"profiles"}),
        ("def f(): return 'update insights.handlers h SET paused = true'", {"handlers"}),
        ("X = 'TRUNCATE insights.events, insights.deliveries'", {"events", "deliveries"}),
        ("X = f'INSERT INTO insights.{name} VALUES (1)'", {"{}"}),
        ("X = 'DELETE FROM insights.' + name", {""}),
        ("X = 'SELECT 1 FROM insights.events FOR UPDATE SKIP LOCKED'", set()),
        ("X = 'ON CONFLICT (id) DO UPDATE SET a = 1 FROM insights.events'", set()),
        ("'It does UPDATE insights.handlers.'", set()),
    ],
)
def test_a_write_is_recognised_by_its_table(source: str, tables: set[str]) -> None:
    strings = [sql for _, sql in strings_of(ast.parse(source))]

    assert {table for sql in strings for table in tables_written_by(sql)} == tables


def test_no_file_is_too_long() -> None:
    lines = {
        path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules()
    }

    assert {
        path: count
        for path, count in lines.items()
        if count > MAX_FILE_LINES and not path.startswith(MIGRATIONS)
    } == {}


def test_no_function_is_too_long() -> None:
    functions = [
        (path, node)
        for path, tree in modules().items()
        if not path.startswith(MIGRATIONS)
        for node in ast.walk(tree)
        if isinstance(node, Function)
    ]

    assert [
        f"{path}: {function.name} has {code_lines(function)} lines"
        for path, function in functions
        if code_lines(function) > MAX_FUNCTION_LINES
    ] == []


def test_no_test_imports_from_another_test_module() -> None:
    strays = [
        f"{path} imports {name}"
        for path, tree in modules().items()
        for name in imports_of(tree)
        if re.match(r"tests\.(\w+\.)*test_", name)
    ]

    assert strays == []
