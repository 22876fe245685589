"""Bad days of a provider, switched on by request: what it does instead of answering well."""

import asyncio
from collections.abc import Callable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.refusals import WORDED


class Kind(StrEnum):
    """`lose` does the work and then drops the connection; the others do no work, but `latency`."""

    STATUS = "status"
    LATENCY = "latency"
    HANG = "hang"
    DROP = "drop"
    LOSE = "lose"


class Fault(BaseModel):
    """How a provider misbehaves, for its next `times` requests, or until it is told to stop."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    status: int = Field(500, ge=400, le=599)
    seconds: float = Field(30, ge=0, description="How long it hangs, or is late.")
    times: int | None = Field(None, ge=1)
    path: str = Field("", description="Only requests whose path contains this.")
    headers: dict[str, str] = {}
    message: str = Field(
        "The sandbox was told to refuse this.",
        description="What a `status` says, in the provider's own form.",
    )


class Faults:
    """The fault of each provider, if it has one."""

    def __init__(self) -> None:
        self.of: dict[str, Fault] = {}
        self.met: dict[str, int] = {}

    def set(self, provider: str, fault: Fault | None) -> None:
        """Begin or end a fault."""
        if fault is None:
            self.of.pop(provider, None)
        else:
            self.of[provider] = fault

    def meet(self, provider: str, path: str) -> Fault | None:
        """The fault that a request runs into, used up by one."""
        fault = self.of.get(provider)
        if fault is None or fault.path not in path:
            return None
        self.met[provider] = self.met.get(provider, 0) + 1
        if fault.times is not None:
            left = fault.times - 1
            self.set(provider, fault.model_copy(update={"times": left}) if left else None)
        return fault


class Misbehave:
    """Lets requests run into the fault of the provider whose name begins their path."""

    def __init__(self, app: ASGIApp, faults: Faults, hang_up: Callable[[Scope], None]) -> None:
        self.app = app
        self.faults = faults
        self.hang_up = hang_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, unless its provider has a bad day."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        provider = path.split("/")[1]
        fault = self.faults.meet(provider, path)
        if fault is None:
            await self.app(scope, receive, send)
        elif fault.kind is Kind.STATUS:
            await read_all(receive)
            response = WORDED[provider](fault.status, fault.message)
            response.headers.update(fault.headers)
            await response(scope, receive, send)
        elif fault.kind is Kind.LATENCY:
            await asyncio.sleep(fault.seconds)
            await self.app(scope, receive, send)
        else:
            if fault.kind is Kind.LOSE:
                await self.app(scope, receive, swallow)
            await asyncio.sleep(fault.seconds if fault.kind is Kind.HANG else 0)
            self.hang_up(scope)


async def swallow(_message: Message) -> None:
    """An answer that nobody gets."""


async def read_all(receive: Receive) -> None:
    """Read a body to its end, so that the connection can be used again."""
    while (await receive()).get("more_body"):
        pass
