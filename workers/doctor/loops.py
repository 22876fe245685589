"""Whether Loops takes our key, and has an email for each that we send."""

from collections.abc import Iterator

import httpx

from settings import Settings
from workers.doctor.finding import Finding, Status

PATIENCE = 5.0
PROPERTIES = {
    "plan": "string",
    "signupDate": "date",
    "newsletter": "boolean",
    "subscribedAt": "date",
}


def check_loops(settings: Settings) -> Iterator[Finding]:
    """Ask Loops about itself: three reads, which change nothing."""
    if settings.loops_api_key is None:
        return
    headers = {"Authorization": f"Bearer {settings.loops_api_key.get_secret_value()}"}
    try:
        with httpx.Client(base_url=settings.loops_url, headers=headers, timeout=PATIENCE) as http:
            yield from look(http, settings)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        detail = f"cannot be asked: {type(error).__name__}"
        yield Finding("Loops emails", Status.HINT, detail, "Is LOOPS_URL right?")


def look(http: httpx.Client, settings: Settings) -> Iterator[Finding]:
    """The key first: without it nothing else is told."""
    told = http.get("/v1/api-key")
    if told.is_error:
        detail = f"LOOPS_API_KEY is refused ({told.status_code})"
        hint = "Make a new key in Loops under Settings, API."
        yield Finding("Loops key", Status.WRONG, detail, hint)
        return
    yield Finding("Loops key", Status.OK, f"is that of the team {told.json().get('teamName')}")
    yield emails(http, settings)
    yield properties(http)


def emails(http: httpx.Client, settings: Settings) -> Finding:
    """Each of our emails needs the id that Loops gave it."""
    missing = [name for name, id_ in settings.emails.items() if id_ is None]
    if missing:
        names = ", ".join(f"LOOPS_{name.upper()}_ID" for name in missing)
        hint = "Paste handlers/templates/*.html into Loops, publish, and set the ids that it shows."
        return Finding("Loops emails", Status.WRONG, f"not set: {names}", hint)
    published = {
        each["id"] for each in http.get("/v1/transactional-emails?perPage=50").json()["data"]
    }
    unknown = [name for name, id_ in settings.emails.items() if id_ not in published]
    if unknown:
        names = ", ".join(f"LOOPS_{name.upper()}_ID" for name in unknown)
        hint = "An email has an id only once it is published."
        return Finding("Loops emails", Status.WRONG, f"Loops knows no email of {names}", hint)
    return Finding("Loops emails", Status.OK, f"all {len(settings.emails)} are published")


def properties(http: httpx.Client) -> Finding:
    """Loops shows and filters by those properties of contacts that were made there."""
    there = {each["key"] for each in http.get("/v1/contacts/properties?list=custom").json()}
    missing = [name for name in PROPERTIES if name not in there]
    if missing:
        kinds = ", ".join(f"{name} ({PROPERTIES[name]})" for name in missing)
        detail = f"not there yet: {kinds}"
        return Finding(
            "Loops properties", Status.HINT, detail, "Make them in Loops under Audience."
        )
    return Finding("Loops properties", Status.OK, "all are there")
