"""What the sandbox's doubles received in a run: emails, contacts, analytics, errors."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr

from benchmarks.chaos.expected.effects import Identity
from runtime.sandbox_settings import sandbox_settings
from sandbox.client import SandboxClient
from settings import Settings

# Emails and names as load/users.py makes them, also where they are percent-encoded; API keys in
# headers; query strings.
PERSONAL = re.compile(
    r"(?:@|%40)example"
    r"|\bAda\b|(?<![-.\w])[0-9a-f]{8}(?![-\w])"
    r"|Bearer "
    r"|://[^\s\"'?]+\?|http\.query|query_string"
)
CONTEXT = 100  # characters shown on each side of a leak


@dataclass(frozen=True)
class ProviderData:
    """What Loops, PostHog and Sentry have.

    `emails` and `milestones` are idempotency keys of what Loops was sent, `contacts` email and
    first name by user, `subscribers` the emails of contacts that only read the newsletter.
    `captured` are the uuids of PostHog's events after its de-duplication. `leaks` are parts of
    what Sentry was sent that hold something personal or secret.
    """

    emails: Sequence[str | None]
    captured: Sequence[UUID]
    contacts: Mapping[UUID, Identity]
    milestones: Sequence[str | None]
    subscribers: Sequence[str]
    leaks: Sequence[str]


def read_providers(sandbox: SandboxClient) -> ProviderData:
    """Ask the doubles."""
    loops, posthog = sandbox.state("loops"), sandbox.state("posthog")
    return ProviderData(
        emails=[mail["key"] for mail in loops["mails"]],
        captured=[UUID(event["uuid"]) for event in posthog["events"]],
        contacts={
            UUID(contact["userId"]): (contact["email"], contact["firstName"])
            for contact in loops["contacts"]
            if contact["userId"]
        },
        milestones=[event["key"] for event in loops["events"]],
        subscribers=[
            contact["email"]
            for contact in loops["contacts"]
            if not contact["userId"] and contact.get("newsletter")
        ],
        leaks=list(find_leaks(sandbox.sentry_envelopes(), secrets(sandbox.url))),
    )


def secrets(url: str) -> list[str]:
    """The keys that the product uses with the doubles at this address."""
    settings = sandbox_settings(Settings(_env_file=None), url)
    return [value.get_secret_value() for _, value in settings if isinstance(value, SecretStr)]


def find_leaks(envelopes: Iterable[str], keys: Sequence[str]) -> Iterator[str]:
    """The first personal or secret thing in each envelope that has any, with its context."""
    forbidden = re.compile("|".join([PERSONAL.pattern, *map(re.escape, keys)]))
    for envelope in envelopes:
        # An escaped end of line would make one word of two.
        plain = envelope.replace("\\n", "\n")
        if found := forbidden.search(plain):
            yield plain[max(0, found.start() - CONTEXT) : found.end() + CONTEXT]
