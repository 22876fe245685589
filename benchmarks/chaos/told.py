"""What the providers' doubles were told in a run: emails, contacts, analytics, errors."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import httpx
from pydantic import SecretStr

from benchmarks.chaos.expected import Identity
from benchmarks.doubles import state
from runtime.doubles import settings_for
from settings import Settings

# Addresses and names in the form that people.py gives them, also where they were escaped; keys;
# query strings.
PERSONAL = re.compile(
    r"(?:@|%40)example"
    r"|\bAda\b|(?<![-.\w])[0-9a-f]{8}(?![-\w])"
    r"|Bearer "
    r"|://[^\s\"'?]+\?|http\.query|query_string"
)
AROUND = 100


@dataclass(frozen=True)
class Told:
    """Each email's key, each event's uuid after de-duplication, each contact by its user.

    `firsts` are the keys of what Loops was told of users, `readers` who is a contact only for the
    newsletter.
    `leaks` are parts of envelopes that Sentry was sent with something personal or secret in them.
    """

    emails: Sequence[str | None]
    captured: Sequence[UUID]
    contacts: Mapping[UUID, Identity]
    firsts: Sequence[str | None]
    readers: Sequence[str]
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
        firsts=[event["key"] for event in loops["events"]],
        readers=[
            contact["email"]
            for contact in loops["contacts"]
            if not contact["userId"] and contact.get("newsletter")
        ],
        leaks=list(leaks(envelopes, secrets(url))),
    )


def secrets(url: str) -> list[str]:
    """The keys with which the product talks to the doubles at this address."""
    settings = settings_for(Settings(_env_file=None), url)
    return [value.get_secret_value() for _, value in settings if isinstance(value, SecretStr)]


def leaks(envelopes: Iterable[str], keys: Sequence[str]) -> Iterator[str]:
    """What stands around the first personal thing or key of each envelope that has any."""
    forbidden = re.compile("|".join([PERSONAL.pattern, *map(re.escape, keys)]))
    for envelope in envelopes:
        # An escaped end of line would make one word of what is two.
        plain = envelope.replace("\\n", "\n")
        if found := forbidden.search(plain):
            yield plain[max(0, found.start() - AROUND) : found.end() + AROUND]
