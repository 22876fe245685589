"""The state of all doubles of one sandbox."""

from collections import deque
from collections.abc import Mapping

from starlette.requests import Request

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.loops.team import Team
from sandbox.loops.templates import Template
from sandbox.posthog.project import Project as PostHogProject
from sandbox.recorded_requests import REQUESTS_KEPT, RecordedRequest
from sandbox.sentry.project import Project as SentryProject
from sandbox.stripe.account import Account
from sandbox.upstash.database import Database

PROVIDER_NAMES = ("loops", "posthog", "sentry", "stripe", "upstash")


class Providers:
    """What each double was sent, its faults and its last requests.

    `templates` are Loops's emails by their ids; `redis_url` is the Redis behind Upstash's double.
    """

    def __init__(self, templates: Mapping[str, Template], redis_url: str | None) -> None:
        self.templates = templates
        self.clock = Clock()
        self.faults = Faults()
        self.requests: dict[str, deque[RecordedRequest]] = {
            name: deque(maxlen=REQUESTS_KEPT) for name in PROVIDER_NAMES
        }
        self.upstash = Database(redis_url)
        self.stripe = Account(self.clock)
        self.reset()

    def reset(self) -> None:
        """Forget everything that was sent, and end all faults. The clock keeps its offset."""
        self.faults.clear()
        # Middleware holds these objects, so they are emptied, not replaced.
        for kept in self.requests.values():
            kept.clear()
        self.loops = Team(self.templates, self.clock)
        self.posthog = PostHogProject(self.clock)
        self.sentry = SentryProject()
        self.stripe.reset()


def providers_of(request: Request) -> Providers:
    """The state that a request to the sandbox is about."""
    providers: Providers = request.app.state.providers
    return providers
