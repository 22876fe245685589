"""Faults that a test or an operator sets: how a provider misbehaves, and for how long."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    """What happens to a request.

    `status`: answered with an error. `latency`: handled late. `hang`: not handled; the connection
    breaks after a while. `drop`: not handled; the connection breaks at once. `lose`: handled, but
    the connection breaks before the answer, so that the caller cannot know.
    """

    STATUS = "status"
    LATENCY = "latency"
    HANG = "hang"
    DROP = "drop"
    LOSE = "lose"


class Fault(BaseModel):
    """A fault of one provider, for its next `times` requests, or until it is cleared."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    status: int = Field(500, ge=400, le=599, description="For kind `status`.")
    seconds: float = Field(30, ge=0, description="For kinds `hang` and `latency`: how long.")
    times: int | None = Field(None, ge=1)
    path: str = Field("", description="Only requests whose path contains this.")
    headers: dict[str, str] = {}
    message: str = Field(
        "The sandbox was told to refuse this.",
        description="The text of a `status`, in the provider's own form.",
    )


class Faults:
    """The current fault of each provider. `met` counts the requests that ran into one."""

    def __init__(self) -> None:
        self.of: dict[str, Fault] = {}
        self.met: dict[str, int] = {}

    def set(self, provider: str, fault: Fault) -> None:
        """Begin a fault, in place of the one before."""
        self.of[provider] = fault

    def end(self, provider: str) -> None:
        self.of.pop(provider, None)

    def clear(self) -> None:
        """End all faults and forget the counts."""
        self.of.clear()
        self.met.clear()

    def take(self, provider: str, path: str) -> Fault | None:
        """The fault that a request runs into; uses up one of its `times`."""
        fault = self.of.get(provider)
        if fault is None or fault.path not in path:
            return None
        self.met[provider] = self.met.get(provider, 0) + 1
        if fault.times is not None:
            self.end(provider)
            if fault.times > 1:
                self.set(provider, fault.model_copy(update={"times": fault.times - 1}))
        return fault
