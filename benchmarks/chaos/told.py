"""What the providers' doubles were told in a run: emails, contacts, analytics, errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import httpx

from benchmarks.chaos.expected import Identity
from benchmarks.doubles import state

PERSONAL = ("@example.com", "Bearer ")


@dataclass(frozen=True)
class Told:
    """Each email's key, each event's uuid after de-duplication, each contact by its user.

    `leaks` are envelopes that Sentry was sent with something personal in them.
    """

    emails: Sequence[str | None]
    captured: Sequence[UUID]
    contacts: Mapping[UUID, Identity]
    leaks: Sequence[str]


def read_told(url: str) -> Told:
    """Ask the doubles at this address."""
    loops, posthog = state(url, "loops"), state(url, "posthog")
    envelopes = httpx.get(f"{url}/sandbox/sentry/raw", timeout=120, trust_env=False).json()
    return Told(
        emails=[mail["key"] for mail in loops["mails"]],
        captured=[UUID(event["uuid"]) for event in posthog["events"]],
        contacts={
            UUID(contact["userId"]): (contact["email"], contact["firstName"])
            for contact in loops["contacts"]
            if contact["userId"]
        },
        leaks=[raw[:200] for raw in envelopes if any(word in raw for word in PERSONAL)],
    )
