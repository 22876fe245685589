"""How the double is told to behave, beyond the faults that all providers have."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

CURRENT_VERSION = "2026-10-28.endive"
VERSIONS = ("2020-08-27", "2025-04-30.basil", CURRENT_VERSION)


class Switches(BaseModel):
    """Set by PUT /sandbox/stripe/switches; a reset takes them back."""

    model_config = ConfigDict(extra="forbid")

    hold: bool = Field(default=False, description="Keep webhooks back until this is off again.")
    order: Literal["made", "reversed", "shuffled"] = Field(
        default="made", description="The order in which webhooks that were held are sent."
    )
    duplicates: int = Field(default=0, ge=0, description="Further copies of each webhook.")
    twin_events: bool = Field(
        default=False, description="Each change also yields a second event with an id of its own."
    )
    loss: float = Field(default=0, ge=0, le=1, description="Share of webhooks never sent.")
    delay: float = Field(default=0, ge=0, description="Seconds before each webhook is sent.")
    disorder: float = Field(default=0, ge=0, description="Random further delay, up to so long.")
    seed: int = Field(default=0, description="Of loss, disorder and shuffling.")
    tie_seconds: int = Field(
        default=1, ge=1, description="Events are created at multiples of so many seconds."
    )
    payload_version: Literal["2020-08-27", "2025-04-30.basil", "2026-10-28.endive"] | None = Field(
        default=None, description="Of webhooks; otherwise each endpoint's own."
    )
    retries: Literal["sandbox", "live"] = "sandbox"
    webhook_timeout: float = Field(default=10, gt=0, description="Seconds.")
    event_livemode: bool | None = None
    event_account: str | None = None
    livemode: bool = Field(default=False, description="Whether sk_live_ keys are ours.")
    default_version: Literal["2020-08-27", "2025-04-30.basil", "2026-10-28.endive"] = Field(
        default="2026-10-28.endive", description="The account's, for who sends none."
    )
    slow: float = Field(default=0, ge=0, description="Seconds that a POST holds its key.")
    fail_after: int = Field(
        default=0, ge=0, description="So many POSTs answer 500 although they took effect."
    )
    denied: tuple[str, ...] = Field(
        default=(), description="Beginnings of paths that restricted keys (rk_) may not use."
    )
    per_second: int | None = Field(default=None, ge=1, description="Requests; more get 429.")
    after_dunning: Literal["cancel", "unpaid", "past_due"] = "cancel"
    meter_delay: float = Field(default=5, ge=0, description="Seconds until usage is counted.")
