"""One team's account at Loops: its contacts, and the emails and events it was sent."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.loops.contacts import Audience
from sandbox.loops.errors import ApiError
from sandbox.loops.templates import Template

# The limits that Loops documents (https://loops.so/docs/api-reference).
IDEMPOTENCY_KEY_TTL = timedelta(hours=24)
MAX_KEY_LENGTH = 100  # characters
REQUESTS_PER_SECOND = 10  # of a team, whatever key is used


@dataclass(frozen=True)
class Mail:
    """A transactional email that was sent; `key` is its idempotency key."""

    id: int
    template: str
    transactional_id: str
    email: str
    data: Mapping[str, Any]
    key: str | None
    at: datetime
    subject: str
    html: str


@dataclass(frozen=True)
class ContactEvent:
    """An event about a contact, which may start a workflow; `key` is its idempotency key."""

    name: str
    email: str | None
    user_id: str | None
    properties: Mapping[str, Any]
    key: str | None
    at: datetime


class Team:
    """The state of one team. `templates` are its transactional emails by their ids.

    `requests` counts all, `refused` those over the rate limit, `replays` repeated idempotency keys.
    """

    def __init__(self, templates: Mapping[str, Template], clock: Clock) -> None:
        self.templates = templates
        self.clock = clock
        self.per_second = REQUESTS_PER_SECOND
        self.audience = Audience()
        self.properties: dict[str, str] = {}
        self.lists: dict[str, str] = {}  # mailing lists: id → name
        self.mails: list[Mail] = []
        self.events: list[ContactEvent] = []
        self.keys: dict[str, datetime] = {}
        self.replays = 0
        self.requests = 0
        self.refused = 0
        self.busiest_second = 0
        self.last_second: deque[datetime] = deque()

    @property
    def remaining(self) -> int:
        """How many more requests fit into the current second."""
        return max(0, self.per_second - len(self.last_second))

    def count_request(self) -> None:
        """Count a request. Raises ApiError 429 over the rate limit."""
        now = self.clock.now()
        while self.last_second and now - self.last_second[0] >= timedelta(seconds=1):
            self.last_second.popleft()
        self.requests += 1
        if len(self.last_second) >= self.per_second:
            self.refused += 1
            raise ApiError(429, "Rate limit exceeded.")
        self.last_second.append(now)
        self.busiest_second = max(self.busiest_second, len(self.last_second))

    def use_key(self, key: str | None) -> None:
        """Remember an idempotency key for 24 hours. Raises ApiError 409 where it was used.

        Loops documents 409 for any reuse, and does not repeat its first answer.
        """
        if key is None:
            return
        if len(key) > MAX_KEY_LENGTH:
            raise ApiError(400, f"Idempotency-Key is longer than {MAX_KEY_LENGTH} characters.")
        now, used = self.clock.now(), self.keys.get(key)
        if used is not None and now - used < IDEMPOTENCY_KEY_TTL:
            self.replays += 1
            raise ApiError(409, "Idempotency key has been used with a different request.")
        self.keys[key] = now

    def send(
        self, id_: str, email: str, data: dict[str, Any], key: str | None, *, add_to_audience: bool
    ) -> None:
        """Send a transactional email. Raises ApiError 400 and 404."""
        template = self.templates.get(id_)
        if template is None:
            raise ApiError(404, "Transactional email not found.")
        missing = sorted(template.variables - data.keys())
        if missing:
            error = {"path": f"dataVariables.{missing[0]}", "message": "Missing required variable."}
            message = f"Missing data variables: {', '.join(missing)}."
            raise ApiError(400, message, error=error, transactionalId=id_)
        self.use_key(key)
        subject, html = template.subject(data), template.render(data)
        number, now = len(self.mails) + 1, self.clock.now()
        mail = Mail(number, template.name, id_, email, data, key, now, subject, html)
        self.mails.append(mail)
        if add_to_audience:
            self.audience.upsert({"email": email}, now)
