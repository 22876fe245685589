"""The release that works beside ours: other code, or ours with more in it."""

from pathlib import Path

import pytest

from benchmarks.chaos.system.release import NEXT_PACKAGES, PACKAGES, next_to
from benchmarks.errors import ChaosFailed
from benchmarks.processes import ROOT
from events import load_catalogue
from handlers import load_handlers


def test_the_next_release_has_one_more_optional_field_and_one_more_handler() -> None:
    ours, theirs = load_catalogue(*PACKAGES), load_catalogue(*NEXT_PACKAGES)

    assert set(ours) == set(theirs)
    more = theirs["chaos.noted"].model_fields.keys() - ours["chaos.noted"].model_fields.keys()
    assert more == {"note"}
    assert not theirs["chaos.noted"].model_fields["note"].is_required()
    assert load_handlers(*NEXT_PACKAGES).keys() - load_handlers(*PACKAGES).keys() == {"chaos_next"}


def test_the_other_release_is_ours_or_that_of_a_folder(tmp_path: Path) -> None:
    assert next_to(None, tmp_path).root == ROOT
    assert next_to(str(tmp_path), tmp_path).environment() == {
        "PYTHONPATH": str(tmp_path),
        "EXTRA_PACKAGES": ",".join(NEXT_PACKAGES),
    }


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git repository")
def test_the_other_release_may_be_that_of_a_commit(tmp_path: Path) -> None:
    release = next_to("HEAD", tmp_path)

    assert release.root.is_relative_to(tmp_path)
    assert (release.root / "cli" / "chaos.py").is_file()
    with pytest.raises(ChaosFailed, match="neither a folder nor a commit"):
        next_to("no-such-commit", tmp_path)
