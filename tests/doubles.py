"""The providers' doubles, as tests see them."""

from collections.abc import Sequence

from runtime.sandbox_settings import sandbox_settings
from sandbox.client import SandboxClient
from sandbox.loops.contacts import Contact
from sandbox.loops.team import Team
from sandbox.posthog.project import Project as PostHogProject
from sandbox.recorded_requests import RecordedRequest
from sandbox.sentry.project import Project as SentryProject
from sandbox.server import SandboxServer
from sandbox.stripe.account import Account
from settings import Settings


class Doubles(SandboxClient):
    """The client of a sandbox in this process, with direct access to what it was sent."""

    def __init__(self, server: SandboxServer) -> None:
        super().__init__(server.url)
        self.server = server

    @property
    def loops(self) -> Team:
        return self.server.providers.loops

    @property
    def posthog(self) -> PostHogProject:
        return self.server.providers.posthog

    @property
    def sentry(self) -> SentryProject:
        return self.server.providers.sentry

    @property
    def stripe(self) -> Account:
        return self.server.providers.stripe

    def contact(self, email: str) -> Contact:
        """The contact at Loops with this address, which must exist."""
        found = self.loops.audience.find(email)
        assert found is not None
        return found

    def requests(self, provider: str) -> Sequence[RecordedRequest]:
        """The last requests to a provider, oldest first."""
        return self.server.providers.requests[provider]

    def settings(self, settings: Settings, *, upstash: bool = False) -> Settings:
        """Settings with this sandbox for all providers but Sentry, whose SDK is global."""
        provided = sandbox_settings(settings, self.url, upstash=upstash)
        return provided.model_copy(update={"sentry_dsn": None, "loops_rate": 9.0})
