"""With the settings for the sandbox, no real provider is ever reached."""

from pydantic import SecretStr

from handlers.emails.templates import sources
from runtime.sandbox_settings import sandbox_settings, sandbox_templates
from settings import Settings

URL = "http://127.0.0.1:8010"
REAL = Settings(
    _env_file=None,
    loops_api_key=SecretStr("real-key"),
    posthog_api_key=SecretStr("real-key"),
    posthog_secret_key=SecretStr("real-key"),
    sentry_dsn=SecretStr("https://real-key@sentry.example/1"),
    upstash_redis_rest_url="https://real.upstash.example",
    upstash_redis_rest_token=SecretStr("real-key"),
    loops_welcome_id="real-id",
)


def test_every_provider_that_has_a_double_is_the_sandbox() -> None:
    settings = sandbox_settings(REAL, URL)

    urls = (settings.loops_url, settings.posthog_host, settings.upstash_redis_rest_url)
    assert all(url is not None and url.startswith(f"{URL}/") for url in urls)
    assert settings.sentry_dsn is not None
    assert "@127.0.0.1:8010/" in settings.sentry_dsn.get_secret_value()
    secrets = [value for _, value in settings if isinstance(value, SecretStr)]
    assert not [each for each in secrets if "real" in each.get_secret_value()]


def test_the_sandbox_has_an_email_for_each_id() -> None:
    settings = sandbox_settings(REAL, URL)

    assert set(settings.emails.values()) == sandbox_templates().keys()
    assert {template.name for template in sandbox_templates().values()} == set(sources())


def test_without_upstash_its_settings_are_left_as_they_are() -> None:
    settings = sandbox_settings(REAL, URL, upstash=False)

    assert settings.upstash_redis_rest_url == REAL.upstash_redis_rest_url
