"""One team's account at Loops: what it holds, and what it was sent."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.loops.contacts import Audience
from sandbox.loops.refusal import Refused
from sandbox.templates import Template

KEY_KEPT = timedelta(hours=24)
LONGEST_KEY = 100
PER_SECOND = 10


@dataclass(frozen=True)
class Mail:
    """An email that was sent."""

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
class Sent:
    """An event that was sent about a contact."""

    name: str
    email: str | None
    user_id: str | None
    properties: Mapping[str, Any]
    key: str | None
    at: datetime


class Team:
    """Everything of one team. `templates` are its transactional emails by their generated ids."""

    def __init__(self, templates: Mapping[str, Template], clock: Clock) -> None:
        self.templates = templates
        self.clock = clock
        self.per_second = PER_SECOND
        self.audience = Audience()
        self.properties: dict[str, str] = {}
        self.mails: list[Mail] = []
        self.events: list[Sent] = []
        self.keys: dict[str, datetime] = {}
        self.replays = 0
        self.requests = 0
        self.refused = 0
        self.busiest = 0
        self.last_second: deque[datetime] = deque()

    def admit(self) -> int:
        """Count a request; return how many more may come. Raises Refused beyond ten a second."""
        now = self.clock.now()
        while self.last_second and now - self.last_second[0] >= timedelta(seconds=1):
            self.last_second.popleft()
        self.requests += 1
        if len(self.last_second) >= self.per_second:
            self.refused += 1
            raise Refused(429, "Rate limit exceeded.")
        self.last_second.append(now)
        self.busiest = max(self.busiest, len(self.last_second))
        return self.per_second - len(self.last_second)

    def use_key(self, key: str | None) -> None:
        """Remember an idempotency key for a day. Raises Refused 409 where it was used."""
        if key is None:
            return
        if len(key) > LONGEST_KEY:
            raise Refused(400, f"Idempotency-Key is longer than {LONGEST_KEY} characters.")
        now, used = self.clock.now(), self.keys.get(key)
        if used is not None and now - used < KEY_KEPT:
            self.replays += 1
            raise Refused(409, "Idempotency key has been used with a different request.")
        self.keys[key] = now

    def send(
        self, id_: str, email: str, data: dict[str, Any], key: str | None, *, add: bool
    ) -> None:
        """Send a transactional email. Raises Refused 400 and 404."""
        template = self.templates.get(id_)
        if template is None:
            raise Refused(404, "Transactional email not found.")
        missing = sorted(template.variables - data.keys())
        if missing:
            error = {"path": f"dataVariables.{missing[0]}", "message": "Missing required variable."}
            message = f"Missing data variables: {', '.join(missing)}."
            raise Refused(400, message, error=error, transactionalId=id_)
        self.use_key(key)
        subject, html = template.subject(data), template.render(data)
        mail = Mail(
            len(self.mails) + 1,
            template.name,
            id_,
            email,
            data,
            key,
            self.clock.now(),
            subject,
            html,
        )
        self.mails.append(mail)
        if add:
            self.audience.upsert({"email": email}, self.clock.now())
