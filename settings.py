"""Every setting, read from the environment and `.env`; a wrong value stops the start."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from errors import InsightsError

if TYPE_CHECKING:
    from services.redis.upstash import RestEndpoint

# Set for processes whose environment holds every setting: an unset one must not come from `.env`.
COMPLETE_ENVIRONMENT = "INSIGHTS_COMPLETE_ENVIRONMENT"
MIN_KEY_LENGTH = 16  # characters; shorter keys can be guessed
# Setting → how its URL may begin.
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
    "posthog_api_url": ("http://", "https://"),
}


class WrongSetting(InsightsError):
    """Raised at start when settings are wrong; names them, and shows no value: some are secret."""

    def __init__(self, error: ValidationError) -> None:
        lines = (f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        super().__init__("These settings are wrong:\n  " + "\n  ".join(lines))


def or_public(name: str) -> Any:
    """Read a setting also under the name that a Next.js front end in the same `.env` gives it."""
    return AliasChoices(name, f"NEXT_PUBLIC_{name}")


class Settings(BaseSettings):
    """All settings of all processes; `.env.example` explains each to those who set them.

    Where `database_url` or `redis_url` is unset, `insights up` starts an embedded server.
    """

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", env_ignore_empty=True, populate_by_name=True
    )

    # Servers
    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    broker_url: SecretStr | None = None  # None: redis_url

    # Files and links
    insights_home: Path = Path(".insights")  # embedded servers, and storage where it is unset
    storage_url: str | None = None
    app_url: str = Field("http://localhost:3000", validation_alias=or_public("APP_URL"))
    docs_url: str | None = None

    # The HTTP API. NoDecode: values are separated by commas, not written as JSON.
    insights_api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)  # 0: any free port
    keep_alive_seconds: int = Field(75, ge=1)  # load balancers keep idle connections for 60 s
    rate_limit: int = Field(100, ge=1)  # requests without a key, per address and path
    rate_limit_seconds: int = Field(900, ge=1)

    # All processes
    metrics_port: int | None = Field(None, ge=0, le=65535)  # None: no metrics but the API's
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "pretty"] = "auto"  # auto: pretty on a terminal
    retention_days: int = Field(90, ge=1)
    statement_months: int = Field(25, ge=1)  # two years, and the month that runs
    # Time-outs of every transaction, in seconds: a frozen process frees what it locked after the
    # first; work that computes for longer between statements must be an external handler.
    transaction_idle_seconds: float = Field(10, gt=0)
    lock_seconds: float = Field(10, gt=0)
    # Processes that serve give up a connection that was silent for so long, however alive it looks.
    database_answer_seconds: float = Field(30, gt=0)
    extra_packages: Annotated[tuple[str, ...], NoDecode] = ()

    # Upstash: Redis over REST
    upstash_redis_rest_url: str | None = None
    upstash_redis_rest_token: SecretStr | None = None

    # PostHog: analytics need the first key, feature flags the secret one too, and deleting the
    # persons of deleted users the personal one and the project
    posthog_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("POSTHOG_API_KEY", "NEXT_PUBLIC_POSTHOG_KEY")
    )
    posthog_host: str = Field(
        "https://us.i.posthog.com", validation_alias=or_public("POSTHOG_HOST")
    )
    posthog_secret_key: SecretStr | None = None
    posthog_personal_api_key: SecretStr | None = None
    posthog_project_id: int | None = Field(None, ge=1, validate_default=True)
    posthog_api_url: str | None = None
    posthog_flags_seconds: int = Field(300, ge=1)  # between two fetches, each billed as 10 requests

    # Sentry
    sentry_dsn: SecretStr | None = Field(None, validation_alias=or_public("SENTRY_DSN"))
    sentry_traces_sample_rate: float | None = Field(None, ge=0, le=1)  # a share; see `traces`
    environment: str = "development"
    release: str | None = None

    stripe_secret_key: SecretStr | None = None
    stripe_webhook_secret: SecretStr | None = None

    # Loops: emails and contacts. `emails` lists the settings that end in _id, but for the list's.
    loops_api_key: SecretStr | None = None
    loops_url: str = "https://app.loops.so/api"
    loops_rate: float = Field(8, gt=0, le=1000)  # requests a second; Loops allows a team 10
    loops_welcome_id: str | None = None
    loops_training_complete_id: str | None = None
    loops_training_failed_id: str | None = None
    loops_limit_warning_id: str | None = None
    loops_subscription_confirmed_id: str | None = None
    loops_newsletter_list_id: str | None = None

    @field_validator("insights_api_keys", "extra_packages", mode="before")
    @classmethod
    def split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("insights_api_keys")
    @classmethod
    def long_enough(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(key.get_secret_value()) < MIN_KEY_LENGTH for key in keys):
            raise ValueError(f"each key must have at least {MIN_KEY_LENGTH} characters")
        return keys

    @field_validator("database_answer_seconds")
    @classmethod
    def longer_than_a_lock(cls, value: float, info: Any) -> float:
        if value <= info.data.get("lock_seconds", 0):
            raise ValueError("it must be longer than LOCK_SECONDS: a wait for a lock is silent")
        return value

    @field_validator("posthog_project_id")
    @classmethod
    def set_with_personal_key(cls, value: int | None, info: Any) -> int | None:
        if value is None and info.data.get("posthog_personal_api_key") is not None:
            raise ValueError("POSTHOG_PERSONAL_API_KEY needs it: the number in the project's URL")
        return value

    @field_validator(*SCHEMES)
    @classmethod
    def right_scheme(cls, value: Any, info: Any) -> Any:
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        schemes = SCHEMES[info.field_name]
        if plain is not None and not plain.startswith(schemes):
            raise ValueError(f"it must begin with {' or '.join(schemes)}")
        return value

    @property
    def postgres_url(self) -> str:
        """The database's URL in the form that SQLAlchemy takes. Raises MissingSetting."""
        return "postgresql+psycopg://" + required(self.database_url, "DATABASE_URL").split("://")[1]

    @property
    def redis(self) -> str:
        """The URL of Redis. Raises MissingSetting."""
        return required(self.redis_url, "REDIS_URL")

    @property
    def broker(self) -> str:
        """The URL of the broker of dramatiq's queues. Raises MissingSetting."""
        return self.broker_url.get_secret_value() if self.broker_url else self.redis

    @property
    def upstash(self) -> "RestEndpoint | None":
        """Upstash's REST API, where both its address and its token are set."""
        # Here, since it imports the clients of all providers, which most commands do without.
        from services.redis.upstash import RestEndpoint  # noqa: PLC0415

        url, token = self.upstash_redis_rest_url, self.upstash_redis_rest_token
        return RestEndpoint(url, token.get_secret_value()) if url and token else None

    @property
    def app(self) -> str:
        """The URL of the front end, without a slash at the end."""
        return self.app_url.rstrip("/")

    @property
    def docs(self) -> str:
        """The URL of the documentation for users."""
        return self.docs_url or f"{self.app}/docs"

    @property
    def posthog_api(self) -> str:
        """The URL of PostHog's private API; that of PostHog Cloud is not where captures go."""
        host = self.posthog_host.rstrip("/").replace(".i.posthog.com", ".posthog.com")
        return (self.posthog_api_url or host).rstrip("/")

    @property
    def traces(self) -> float:
        """The share of traces that Sentry is sent, from 0 to 1."""
        if self.sentry_traces_sample_rate is not None:
            return self.sentry_traces_sample_rate
        return 1.0 if self.environment == "development" else 0.1

    @property
    def emails(self) -> dict[str, str | None]:
        """The id that Loops gave to each of our emails, by the email's name; None if unset."""
        return {
            name.removeprefix("loops_").removesuffix("_id"): getattr(self, name)
            for name in type(self).model_fields
            if name.startswith("loops_") and name.endswith("_id") and "_list_" not in name
        }

    @property
    def storage(self) -> str:
        """The URL below which data sets and models lie, as fsspec takes it."""
        return self.storage_url or (self.insights_home.resolve() / "storage").as_uri()


def required(value: SecretStr | None, name: str) -> str:
    """The value of a setting that the caller cannot do without. Raises MissingSetting."""
    if value is None:
        raise MissingSetting(name)
    return value.get_secret_value()


class MissingSetting(InsightsError):
    """Raised when a part of the product is started without a setting that it needs."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is not set. Set it, or use `insights up`, which brings servers along."
        )


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process. Raises WrongSetting."""
    if COMPLETE_ENVIRONMENT in os.environ:
        overrides = {"_env_file": None} | overrides
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise WrongSetting(error) from None
