"""The sandbox as tests see it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from runtime.doubles import settings_for
from sandbox.faults import Fault, Kind
from sandbox.serve import Server
from settings import Settings


@dataclass(frozen=True)
class Doubles:
    """One sandbox that remembers nothing of earlier tests."""

    server: Server

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def loops(self) -> Any:
        return self.server.world.loops

    @property
    def posthog(self) -> Any:
        return self.server.world.posthog

    @property
    def sentry(self) -> Any:
        return self.server.world.sentry

    def break_down(self, provider: str, kind: str, **more: Any) -> None:
        """Give a provider a bad day, for ever or for `times` requests."""
        self.server.world.faults.set(provider, Fault(kind=Kind(kind), **more))

    def mend(self, provider: str) -> None:
        self.server.world.faults.set(provider, None)

    def pass_time(self, hours: float) -> None:
        self.server.world.clock.advance(timedelta(hours=hours))

    def settings(self, settings: Settings, *, upstash: bool = False) -> Settings:
        """Settings with this sandbox for all providers but Sentry, which is a process's own."""
        provided = settings_for(settings, self.url, upstash=upstash)
        return provided.model_copy(update={"sentry_dsn": None, "loops_rate": 9.0})
