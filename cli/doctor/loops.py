"""Whether Loops takes our key, and has an email for each that we send."""

from collections.abc import Callable, Iterator
from typing import Any

from cli.doctor.asking import ask, call
from cli.doctor.finding import Finding, Status
from settings import Settings, required

KEY = "LOOPS_API_KEY"
PAGE, MOST_PAGES = 50, 20
PROPERTIES = {
    "plan": "string",
    "signupDate": "date",
    "newsletter": "boolean",
    "subscribedAt": "date",
}


def check_loops(settings: Settings) -> Iterator[Finding]:
    """Ask Loops about itself, the key first: without it nothing else is told. Changes nothing."""
    if settings.loops_api_key is None:
        return
    key = examine("Loops key", team, settings)
    yield key
    if key.status is Status.OK:
        yield examine("Loops emails", emails, settings)
        yield examine("Loops properties", properties, settings)


def examine(what: str, look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    """One look, whatever it meets."""
    hint = "Make a new key in Loops under Settings, API."
    return ask(what, KEY, hint, lambda: look(settings))


def read(settings: Settings, path: str, **query: Any) -> Any:
    """What Loops answers."""
    headers = {"Authorization": f"Bearer {required(settings.loops_api_key, KEY)}"}
    return call("GET", settings.loops_url, path, headers=headers, params=query).json()


def team(settings: Settings) -> Finding:
    """Whose the key is."""
    name = read(settings, "/v1/api-key")["teamName"]
    return Finding("Loops key", Status.OK, f"is that of the team {name}")


def emails(settings: Settings) -> Finding:
    """Each of our emails needs the id that Loops gave it."""
    missing = [name for name, id_ in settings.emails.items() if id_ is None]
    if missing:
        names = ", ".join(f"LOOPS_{name.upper()}_ID" for name in missing)
        hint = "Paste handlers/templates/*.html into Loops, publish, and set the ids that it shows."
        return Finding("Loops emails", Status.WRONG, f"not set: {names}", hint)
    known = published(settings)
    unknown = [name for name, id_ in settings.emails.items() if id_ not in known]
    if unknown:
        names = ", ".join(f"LOOPS_{name.upper()}_ID" for name in unknown)
        hint = "An email has an id only once it is published."
        return Finding("Loops emails", Status.WRONG, f"Loops knows no email of {names}", hint)
    return Finding("Loops emails", Status.OK, f"all {len(settings.emails)} are published")


def published(settings: Settings) -> set[str]:
    """The ids of all emails, page by page; no more than a team can have, whatever Loops says."""
    ids: set[str] = set()
    query: dict[str, Any] = {"perPage": PAGE}
    for _ in range(MOST_PAGES):
        told = read(settings, "/v1/transactional-emails", **query)
        ids |= {each["id"] for each in told["data"]}
        query["cursor"] = told["pagination"]["nextCursor"]
        if query["cursor"] is None:
            break
    return ids


def properties(settings: Settings) -> Finding:
    """Loops shows and filters by those properties of contacts that were made there."""
    there = {each["key"] for each in read(settings, "/v1/contacts/properties", list="custom")}
    missing = [name for name in PROPERTIES if name not in there]
    if missing:
        kinds = ", ".join(f"{name} ({PROPERTIES[name]})" for name in missing)
        detail = f"not there yet: {kinds}"
        return Finding(
            "Loops properties", Status.HINT, detail, "Make them in Loops under Audience."
        )
    return Finding("Loops properties", Status.OK, "all are there")
