"""`insights doctor` on the folder of data sets and models."""

from pathlib import Path

import pytest

from tests.cli.conftest import Insights, doctor_findings, flat


def test_a_storage_folder_that_cannot_be_written_to_is_wrong(
    insights: Insights, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("STORAGE_URL", (tmp_path / "file" / "folder").as_uri())

    result = insights("doctor")

    assert result.exit_code == 1
    assert "cannot be written to" in flat(result.stdout)


def test_storage_of_an_unknown_kind_is_wrong(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_URL", "carrier-pigeon://loft")

    assert doctor_findings(insights)["storage"]["status"] == "wrong"
