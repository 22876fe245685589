"""Every setting, read from the environment and `.env`; a wrong value stops the start."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from errors import InsightsError

SHORTEST_KEY = 16
SCHEMES = {
    "database_url": ("postgresql://", "postgres://"),
    "redis_url": ("redis://", "rediss://", "unix://"),
    "broker_url": ("redis://", "rediss://", "unix://", "amqp://", "amqps://"),
    "app_url": ("http://", "https://"),
    "docs_url": ("http://", "https://"),
    "loops_url": ("http://", "https://"),
    "sentry_dsn": ("http://", "https://"),
    "upstash_redis_rest_url": ("http://", "https://"),
    "posthog_host": ("http://", "https://"),
}


class WrongSetting(InsightsError):
    """Raised at start when settings are wrong; it names them and never shows a value."""

    def __init__(self, error: ValidationError) -> None:
        lines = (f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        super().__init__("These settings are wrong:\n  " + "\n  ".join(lines))


def also(name: str) -> Any:
    """A setting that is also read under the name that a Next.js app gives it."""
    return AliasChoices(name, f"NEXT_PUBLIC_{name}")


class Settings(BaseSettings):
    """Where `database_url` or `redis_url` is unset, `insights up` brings its own server."""

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", env_ignore_empty=True, populate_by_name=True
    )

    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    broker_url: SecretStr | None = None
    insights_home: Path = Path(".insights")
    storage_url: str | None = None
    app_url: str = Field("http://localhost:3000", validation_alias=also("APP_URL"))

    docs_url: str | None = None

    insights_api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    metrics_port: int | None = Field(None, ge=0, le=65535)
    rate_limit: int = Field(100, ge=1)
    rate_limit_seconds: int = Field(900, ge=1)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "pretty"] = "auto"
    retention_days: int = Field(90, ge=1)
    extra_packages: Annotated[tuple[str, ...], NoDecode] = ()

    upstash_redis_rest_url: str | None = None
    upstash_redis_rest_token: SecretStr | None = None
    posthog_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("POSTHOG_API_KEY", "NEXT_PUBLIC_POSTHOG_KEY")
    )
    posthog_host: str = Field("https://us.i.posthog.com", validation_alias=also("POSTHOG_HOST"))
    posthog_secret_key: SecretStr | None = None
    posthog_flags_seconds: int = Field(300, ge=1)
    sentry_dsn: SecretStr | None = Field(None, validation_alias=also("SENTRY_DSN"))
    sentry_traces_sample_rate: float | None = Field(None, ge=0, le=1)
    environment: str = "development"
    release: str | None = None
    stripe_secret_key: SecretStr | None = None
    stripe_webhook_secret: SecretStr | None = None
    loops_api_key: SecretStr | None = None
    loops_url: str = "https://app.loops.so/api"
    loops_rate: float = Field(8, gt=0, le=1000)
    loops_welcome_id: str | None = None
    loops_training_complete_id: str | None = None
    loops_training_failed_id: str | None = None
    loops_limit_warning_id: str | None = None
    loops_subscription_confirmed_id: str | None = None

    @field_validator("insights_api_keys", "extra_packages", mode="before")
    @classmethod
    def split(cls, value: object) -> object:
        """Several values are separated by commas."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("insights_api_keys")
    @classmethod
    def long_enough(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        """A key that can be guessed is no key."""
        if any(len(key.get_secret_value()) < SHORTEST_KEY for key in keys):
            raise ValueError(f"each key must have at least {SHORTEST_KEY} characters")
        return keys

    @field_validator(*SCHEMES)
    @classmethod
    def right_scheme(cls, value: Any, info: Any) -> Any:
        """A URL must be of a kind that this setting can use."""
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        schemes = SCHEMES[info.field_name]
        if plain is not None and not plain.startswith(schemes):
            raise ValueError(f"it must begin with {' or '.join(schemes)}")
        return value

    @property
    def postgres_url(self) -> str:
        """The database's URL in the form that SQLAlchemy takes."""
        return "postgresql+psycopg://" + required(self.database_url, "DATABASE_URL").split("://")[1]

    @property
    def redis(self) -> str:
        """The URL of Redis."""
        return required(self.redis_url, "REDIS_URL")

    @property
    def broker(self) -> str:
        """The URL of the doorbell's broker, by default Redis."""
        return self.broker_url.get_secret_value() if self.broker_url else self.redis

    @property
    def upstash(self) -> tuple[str | None, str | None]:
        """The address and token of Upstash's REST door."""
        token = self.upstash_redis_rest_token
        return self.upstash_redis_rest_url, token.get_secret_value() if token else None

    @property
    def app(self) -> str:
        """The front end, without a slash at the end."""
        return self.app_url.rstrip("/")

    @property
    def docs(self) -> str:
        """Where people read how to use the product."""
        return self.docs_url or f"{self.app}/docs"

    @property
    def traces(self) -> float:
        """The share of traces that Sentry is sent: all in development, a tenth elsewhere."""
        if self.sentry_traces_sample_rate is not None:
            return self.sentry_traces_sample_rate
        return 1.0 if self.environment == "development" else 0.1

    @property
    def emails(self) -> dict[str, str | None]:
        """The ids that Loops gave to our emails, by their names."""
        return {
            name.removeprefix("loops_").removesuffix("_id"): getattr(self, name)
            for name in type(self).model_fields
            if name.startswith("loops_") and name.endswith("_id")
        }

    @property
    def storage(self) -> str:
        """Where data sets and models lie, by default a folder of ours."""
        return self.storage_url or (self.insights_home.resolve() / "storage").as_uri()


def required(value: SecretStr | None, name: str) -> str:
    """A setting that a part of the product cannot do without."""
    if value is None:
        raise MissingSetting(name)
    return value.get_secret_value()


class MissingSetting(InsightsError):
    """Raised when a part of the product is started without a setting that it needs."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is not set. Set it, or use `insights up`, which brings its own servers."
        )


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process. Raises WrongSetting."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise WrongSetting(error) from None
