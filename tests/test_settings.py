"""Settings: their names, their aliases, and a start that stops where one is wrong."""

import re
from pathlib import Path

import pytest

from services.redis.upstash import RestEndpoint
from settings import MissingSetting, Settings, WrongSetting, load_settings


@pytest.fixture(autouse=True)
def empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_example_has_every_setting_and_no_other() -> None:
    example = Path(__file__).parent.parent / ".env.example"
    names = re.findall(r"^([A-Z_]+)=", example.read_text(), re.MULTILINE)

    assert sorted(names) == sorted(name.upper() for name in Settings.model_fields)


def test_the_example_is_a_working_file(tmp_path: Path) -> None:
    example = Path(__file__).parent.parent / ".env.example"
    (tmp_path / ".env").write_text(example.read_text())

    assert load_settings() == Settings(_env_file=None)


@pytest.mark.parametrize(
    ("alias", "field"),
    [
        ("NEXT_PUBLIC_APP_URL", "app_url"),
        ("NEXT_PUBLIC_POSTHOG_HOST", "posthog_host"),
    ],
)
def test_names_of_a_next_app_are_read_too(
    alias: str, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(alias, "https://example.com")

    assert getattr(load_settings(), field) == "https://example.com"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://user:s3cret@host/db"),
        ("REDIS_URL", "localhost:6379"),
        ("PORT", "eighty"),
        ("LOG_LEVEL", "loud"),
        ("INSIGHTS_API_KEYS", "short"),
        ("RETENTION_DAYS", "0"),
    ],
)
def test_a_wrong_value_stops_the_start_with_a_sentence_that_names_the_setting(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(WrongSetting) as wrong:
        load_settings()

    assert name in str(wrong.value)
    assert "s3cret" not in str(wrong.value)


def test_what_a_part_cannot_do_without_is_named() -> None:
    with pytest.raises(MissingSetting, match="DATABASE_URL"):
        load_settings().postgres_url  # noqa: B018


def test_keys_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGHTS_API_KEYS", "a-key-of-the-first-app, a-key-of-the-second")

    keys = [key.get_secret_value() for key in load_settings().insights_api_keys]

    assert keys == ["a-key-of-the-first-app", "a-key-of-the-second"]


def test_upstash_is_used_where_both_its_address_and_its_token_are_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("UPSTASH_REDIS_REST_URL", "https://x.upstash.io")
    assert load_settings().upstash is None

    monkeypatch.setenv("UPSTASH_REDIS_REST_TOKEN", "s3cret")
    assert load_settings().upstash == RestEndpoint("https://x.upstash.io", "s3cret")
    assert "s3cret" not in repr(load_settings().upstash)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "https://us.posthog.com"),
        ({"posthog_host": "https://eu.i.posthog.com/"}, "https://eu.posthog.com"),
        ({"posthog_host": "https://ph.example.com"}, "https://ph.example.com"),
        ({"posthog_api_url": "https://eu.posthog.com/"}, "https://eu.posthog.com"),
    ],
)
def test_posthogs_private_api_is_not_where_captures_go(given: dict[str, str], url: str) -> None:
    assert load_settings(_env_file=None, **given).posthog_api == url


def test_a_personal_key_of_posthog_needs_its_project() -> None:
    with pytest.raises(WrongSetting, match="POSTHOG_PROJECT_ID"):
        load_settings(_env_file=None, posthog_personal_api_key="phx_key")
