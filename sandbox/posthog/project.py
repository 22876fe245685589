"""One PostHog project: every event as it came, and what is left after de-duplication."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any
from uuid import UUID

from sandbox.clock import Clock

LARGEST = 1_000_000
SCALE = float(0xFFFFFFFFFFFFFFF)
NOBODIES = {"null", "guest", "anonymous", "0", "none", "undefined", ""}


@dataclass(frozen=True)
class Captured:
    """One event, once for each time that it came."""

    event: str
    distinct_id: str
    uuid: str
    timestamp: datetime
    properties: Mapping[str, Any]
    historical: bool

    @property
    def identity(self) -> tuple[object, ...]:
        """What PostHog's table collapses by: a repeat with another day or uuid is another event."""
        return self.timestamp.date(), self.event, self.distinct_id, self.uuid


@dataclass
class Project:
    """What was sent, in order. `warnings` are what the real one shows as ingestion warnings."""

    clock: Clock
    received: list[Captured] = field(default_factory=list)
    persons: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    flags: list[dict[str, Any]] = field(default_factory=list)
    batches: int = 0
    definitions_asked: int = 0

    def capture(self, message: Mapping[str, Any], *, size: int, historical: bool) -> None:
        """Take one event, or warn of it and drop it."""
        name, distinct_id = message.get("event"), str(message.get("distinct_id") or "")
        properties: dict[str, Any] = dict(message.get("properties") or {})
        distinct_id = distinct_id or str(properties.get("distinct_id") or "")
        if not isinstance(name, str) or not name or not distinct_id:
            self.warnings.append("event or distinct_id is missing")
        elif size > LARGEST:
            self.warnings.append(f"{name} is too large")
        elif distinct_id.lower() in NOBODIES:
            self.warnings.append(f"{name}: '{distinct_id}' is nobody's id")
        elif (id_ := uuid_of(message)) is None:
            self.warnings.append(f"{name} has no valid uuid")
        else:
            at = time_of(message) or self.clock.now()
            found = Captured(name, distinct_id, id_, at, properties, historical)
            self.received.append(found)
            self.identify(distinct_id, message, properties)

    def identify(
        self, distinct_id: str, message: Mapping[str, Any], properties: Mapping[str, Any]
    ) -> None:
        """Keep what an event says of its person."""
        if properties.get("$process_person_profile") is False:
            return
        person = self.persons.setdefault(distinct_id, {})
        once = {**(message.get("$set_once") or {}), **(properties.get("$set_once") or {})}
        self.persons[distinct_id] = (
            once | person | (message.get("$set") or {}) | (properties.get("$set") or {})
        )

    def events(self) -> list[Captured]:
        """What is left after de-duplication: the latest arrival of each."""
        return list({each.identity: each for each in self.received}.values())

    def decide(self, distinct_id: str) -> dict[str, bool]:
        """Each flag's answer for a person."""
        return {
            flag["key"]: bool(flag.get("active", True)) and any_group(flag, distinct_id)
            for flag in self.flags
        }


def any_group(flag: Mapping[str, Any], distinct_id: str) -> bool:
    """Whether a flag's roll-out takes a person in; conditions on properties are not known here."""
    share = share_of(flag["key"], distinct_id)
    return any(
        not group.get("properties") and share * 100 <= percentage(group)
        for group in groups_of(flag)
    )


def groups_of(flag: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Whom a flag is rolled out to: a share each, of those who meet its conditions."""
    groups: list[Mapping[str, Any]] = flag.get("filters", {}).get("groups", [])
    return groups


def percentage(group: Mapping[str, Any]) -> float:
    """How many take part; all where it is not said."""
    said = group.get("rollout_percentage")
    return 100 if said is None else said


def share_of(key: str, distinct_id: str) -> float:
    """Where a person stands between 0 and 1 for a flag: PostHog's own hash."""
    digest = sha1(f"{key}.{distinct_id}".encode()).hexdigest()  # noqa: S324 (not for secrecy)
    return int(digest[:15], 16) / SCALE


def uuid_of(message: Mapping[str, Any]) -> str | None:
    """The event's uuid; None where it is there and none."""
    given = message.get("uuid")
    try:
        return str(UUID(str(given)))
    except ValueError:
        return None


def time_of(message: Mapping[str, Any]) -> datetime | None:
    """When it happened, in UTC."""
    try:
        at = datetime.fromisoformat(str(message.get("timestamp")))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
