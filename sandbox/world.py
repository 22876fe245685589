"""All doubles of one sandbox, and the time that they share."""

from collections import deque
from collections.abc import Mapping

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.loops.team import Team
from sandbox.posthog.project import Project
from sandbox.requests import KEPT, Sent
from sandbox.sentry.intake import Intake
from sandbox.templates import Template
from sandbox.upstash.database import Database

PROVIDERS = ("loops", "posthog", "sentry", "upstash")


class World:
    """What the doubles remember; `forget` makes it new. The clock never goes back."""

    def __init__(self, templates: Mapping[str, Template], redis_url: str | None) -> None:
        self.templates = templates
        self.redis_url = redis_url
        self.clock = Clock()
        self.faults = Faults()
        self.requests: dict[str, deque[Sent]] = {name: deque(maxlen=KEPT) for name in PROVIDERS}
        self.upstash = Database(redis_url)
        self.forget()

    def forget(self) -> None:
        """Forget everything that was sent, and end all faults."""
        self.faults.of.clear()
        self.faults.met.clear()
        for kept in self.requests.values():
            kept.clear()
        self.loops = Team(self.templates, self.clock)
        self.posthog = Project(self.clock)
        self.sentry = Intake()
