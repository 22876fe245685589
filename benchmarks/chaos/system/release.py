"""The two releases of a run: ours, and the one that comes and goes beside it."""

import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from benchmarks.chaos.system import handlers
from benchmarks.chaos.system.releases import next as next_release
from benchmarks.chaos.system.releases import this as this_release
from benchmarks.errors import ChaosFailed
from benchmarks.processes import ROOT

PACKAGES = (handlers.__name__, this_release.__name__)
NEXT_PACKAGES = (handlers.__name__, next_release.__name__)
MIGRATE_TIMEOUT = 60.0  # s


@dataclass(frozen=True)
class Release:
    """Code in a folder, with what EXTRA_PACKAGES adds to it."""

    root: Path
    packages: tuple[str, ...]

    def environment(self) -> Mapping[str, str]:
        """The variables that make `python -m cli` run this release."""
        return {"PYTHONPATH": str(self.root), "EXTRA_PACKAGES": ",".join(self.packages)}

    def migrate(self, environment: Mapping[str, str], folder: Path) -> None:
        """Run this release's `insights migrate` in `folder`. Raises ChaosFailed."""
        done = subprocess.run(
            [sys.executable, "-m", "cli", "migrate"],
            env=dict(environment) | dict(self.environment()),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=MIGRATE_TIMEOUT,
        )
        if done.returncode:
            raise ChaosFailed(f"The other release cannot migrate: {done.stderr.strip()[-500:]}")


def next_to(beside: str | None, folder: Path) -> Release:
    """The release beside ours: our own code, that of a folder, or that of a commit.

    A commit's code is put below `folder`. Raises ChaosFailed.
    """
    if beside is None:
        return Release(ROOT, NEXT_PACKAGES)
    if Path(beside).is_dir():
        return Release(Path(beside).resolve(), NEXT_PACKAGES)
    return Release(checked_out(beside, folder / "beside"), NEXT_PACKAGES)


def checked_out(commit: str, folder: Path) -> Path:
    """The folder with the files of a commit. Raises ChaosFailed."""
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", commit]
    archive = subprocess.run(command, capture_output=True, check=False)
    if archive.returncode:
        raise ChaosFailed(f"{commit} is neither a folder nor a commit of {ROOT}.")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder
