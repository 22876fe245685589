"""What a parent's settings are is what its children read."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from runtime.environment import environment
from settings import Settings, load_settings


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.lower() in Settings.model_fields or name.startswith("NEXT_PUBLIC_"):
            monkeypatch.delenv(name)


def read_by_a_child(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    return load_settings()


def test_a_child_reads_the_settings_of_its_parent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = Settings(
        database_url=SecretStr("postgresql://me:s3cret@127.0.0.1/db"),
        insights_home=tmp_path / "home",
        insights_api_keys=(SecretStr("a-key-of-the-first-app"), SecretStr("a-key-of-the-second")),
        extra_packages=("shop.events", "shop.handlers"),
        port=0,
        loops_rate=2.5,
        sentry_traces_sample_rate=0.0,
    )

    assert read_by_a_child(settings, monkeypatch) == settings


def test_a_child_in_another_folder_has_the_same_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = Settings(insights_home=Path("here"))

    assert environment(settings)["INSIGHTS_HOME"] == str(tmp_path / "here")


def test_what_a_parent_leaves_unset_a_child_does_not_read_from_dotenv(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("BROKER_URL=redis://somewhere-else\nLOOPS_API_KEY=real\n")
    assert load_settings().broker_url is not None
    settings = load_settings(broker_url=None, loops_api_key=None)

    found = read_by_a_child(settings, monkeypatch)

    assert found.broker_url is None
    assert found.loops_api_key is None
