"""One PostHog project: every event as it came, and what is left after de-duplication."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sandbox.clock import Clock
from sandbox.posthog.flags import is_enabled

MAX_EVENT_SIZE = 1_000_000  # bytes; PostHog refuses larger events
# PostHog refuses ids that many clients send by mistake: all of them would become one person.
PLACEHOLDER_IDS = {"null", "guest", "anonymous", "0", "none", "undefined", ""}


@dataclass(frozen=True)
class Captured:
    """One event as it was received; a repeated event is there twice."""

    event: str
    distinct_id: str
    uuid: str
    timestamp: datetime
    properties: Mapping[str, Any]
    historical: bool

    @property
    def identity(self) -> tuple[object, ...]:
        """What PostHog de-duplicates by: a repeat with another day or uuid is another event.

        Its events table is a ReplacingMergeTree sorted by these columns and the team
        (posthog/models/event/sql.py in github.com/PostHog/posthog).
        """
        return self.timestamp.date(), self.event, self.distinct_id, self.uuid


@dataclass
class Project:
    """The events in order of arrival, and what was made from them.

    `deleted` are the distinct ids of persons who were deleted: what comes under them is dropped, as
    PostHog wants none of them used again. `warnings` are what PostHog shows as ingestion warnings;
    `definitions_asked` counts requests
    for flag definitions, each of which PostHog bills as 10 flag requests.
    """

    clock: Clock
    received: list[Captured] = field(default_factory=list)
    persons: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    flags: list[dict[str, Any]] = field(default_factory=list)
    batches: int = 0
    definitions_asked: int = 0

    def capture(self, message: Mapping[str, Any], *, size: int, historical: bool) -> None:
        """Keep one event, or drop it with an ingestion warning, as PostHog does after its 200."""
        name, distinct_id = message.get("event"), str(message.get("distinct_id") or "")
        properties: dict[str, Any] = dict(message.get("properties") or {})
        distinct_id = distinct_id or str(properties.get("distinct_id") or "")
        if not isinstance(name, str) or not name or not distinct_id:
            self.warnings.append("event or distinct_id is missing")
        elif size > MAX_EVENT_SIZE:
            self.warnings.append(f"{name} is too large")
        elif distinct_id.lower() in PLACEHOLDER_IDS:
            self.warnings.append(f"{name}: '{distinct_id}' is nobody's id")
        elif distinct_id in self.deleted:
            self.warnings.append(f"{name}: the person of this id was deleted")
        elif (id_ := uuid_of(message)) is None:
            self.warnings.append(f"{name} has no valid uuid")
        else:
            at = time_of(message) or self.clock.now()
            found = Captured(name, distinct_id, id_, at, properties, historical)
            self.received.append(found)
            self.update_person(distinct_id, message, properties)

    def update_person(
        self, distinct_id: str, message: Mapping[str, Any], properties: Mapping[str, Any]
    ) -> None:
        """Write the person properties of an event: `$set` overwrites, `$set_once` does not."""
        if properties.get("$process_person_profile") is False:
            return
        person = self.persons.setdefault(distinct_id, {})
        once = {**(message.get("$set_once") or {}), **(properties.get("$set_once") or {})}
        self.persons[distinct_id] = (
            once | person | (message.get("$set") or {}) | (properties.get("$set") or {})
        )

    def delete_persons(self, distinct_ids: Iterable[str], *, delete_events: bool) -> int:
        """Delete persons, and their events if asked for; return how many there were."""
        found = {each for each in distinct_ids if each in self.persons}
        self.deleted |= found
        self.persons = {id_: it for id_, it in self.persons.items() if id_ not in found}
        if delete_events:
            self.received = [each for each in self.received if each.distinct_id not in found]
        return len(found)

    def events(self) -> list[Captured]:
        """The events that are left after de-duplication: of each, the one that arrived last."""
        return list({each.identity: each for each in self.received}.values())

    def evaluate_flags(self, distinct_id: str) -> dict[str, bool]:
        """Whether each flag is on for a person."""
        return {flag["key"]: is_enabled(flag, distinct_id) for flag in self.flags}


def uuid_of(message: Mapping[str, Any]) -> str | None:
    """The event's uuid; None where it is missing or invalid."""
    given = message.get("uuid")
    try:
        return str(UUID(str(given)))
    except ValueError:
        return None


def time_of(message: Mapping[str, Any]) -> datetime | None:
    """When the event happened, in UTC; None where it does not say."""
    try:
        at = datetime.fromisoformat(str(message.get("timestamp")))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
