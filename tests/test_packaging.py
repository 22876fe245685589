"""Every package is in the wheel, in the image, and under the import rules."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PACKAGES = {file.parent.name for file in ROOT.glob("*/__init__.py")} - {"tests"}


def pyproject() -> dict[str, Any]:
    tables: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    return tables


def test_the_wheel_holds_every_package_and_no_test() -> None:
    patterns = pyproject()["setuptools"]["packages"]["find"]["include"]

    packaged = {
        name for name in PACKAGES | {"tests"} if any(fnmatch(name, pattern) for pattern in patterns)
    }

    assert packaged == PACKAGES


def test_the_image_holds_every_package() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()

    assert {line.removeprefix("!") for line in lines if line.startswith("!")} >= PACKAGES


def test_import_rules_hold_for_every_package() -> None:
    assert set(pyproject()["importlinter"]["root_packages"]) == PACKAGES
