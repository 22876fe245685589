"""Whether Loops accepts our key, and has the emails, properties and the list that we use."""

from collections.abc import Callable, Iterator
from typing import Any

from cli.doctor.finding import Finding, Status
from cli.doctor.key_check import call, check_key
from settings import Settings, required

KEY = "LOOPS_API_KEY"
PAGE_SIZE = 50  # the most that Loops allows
MAX_PAGES = 20  # a cursor that never ends must not keep us for ever
# The contact properties that the handler `contacts` writes, and their types in Loops.
PROPERTIES = {
    "plan": "string",
    "signupDate": "date",
    "newsletter": "boolean",
    "subscribedAt": "date",
}


def check_loops(settings: Settings) -> Iterator[Finding]:
    """Read from Loops, and change nothing there. Without a good key, only the key is checked."""
    if settings.loops_api_key is None:
        return
    key = check("Loops key", check_team, settings)
    yield key
    if key.status is Status.OK:
        yield check("Loops emails", check_emails, settings)
        yield check("Loops properties", check_properties, settings)
        if settings.loops_newsletter_list_id is not None:
            yield check("Loops newsletter", check_newsletter_list, settings)


def check(what: str, request: Callable[[Settings], Finding], settings: Settings) -> Finding:
    hint = "Make a new key in Loops under Settings, API."
    return check_key(what, KEY, hint, lambda: request(settings))


def read(settings: Settings, path: str, **query: Any) -> Any:
    """The JSON that Loops answers at a path. Raises what `call` does."""
    headers = {"Authorization": f"Bearer {required(settings.loops_api_key, KEY)}"}
    return call("GET", settings.loops_url, path, headers=headers, params=query).json()


def check_team(settings: Settings) -> Finding:
    name = read(settings, "/v1/api-key")["teamName"]
    return Finding("Loops key", Status.OK, f"is that of the team {name}")


def check_emails(settings: Settings) -> Finding:
    """Whether the id of each of our emails is set, and Loops has published an email of that id."""
    missing = [name for name, id_ in settings.emails.items() if id_ is None]
    if missing:
        names = ", ".join(f"LOOPS_{name.upper()}_ID" for name in missing)
        hint = (
            "Paste handlers/emails/templates/*.html into Loops, publish, set the ids that it shows."
        )
        return Finding("Loops emails", Status.WRONG, f"not set: {names}", hint)
    published = published_ids(settings)
    unknown = [name for name, id_ in settings.emails.items() if id_ not in published]
    if unknown:
        names = ", ".join(f"LOOPS_{name.upper()}_ID" for name in unknown)
        hint = "An email has an id only once it is published."
        return Finding("Loops emails", Status.WRONG, f"Loops knows no email of {names}", hint)
    return Finding("Loops emails", Status.OK, f"all {len(settings.emails)} are published")


def published_ids(settings: Settings) -> set[str]:
    """The ids of all emails that are published in Loops, read page by page."""
    ids: set[str] = set()
    query: dict[str, Any] = {"perPage": PAGE_SIZE}
    for _ in range(MAX_PAGES):
        page = read(settings, "/v1/transactional-emails", **query)
        ids |= {each["id"] for each in page["data"]}
        query["cursor"] = page["pagination"]["nextCursor"]
        if query["cursor"] is None:
            break
    return ids


def check_properties(settings: Settings) -> Finding:
    """Whether our contact properties exist: Loops shows and filters only by those made there."""
    existing = {each["key"] for each in read(settings, "/v1/contacts/properties", list="custom")}
    missing = [name for name in PROPERTIES if name not in existing]
    if missing:
        kinds = ", ".join(f"{name} ({PROPERTIES[name]})" for name in missing)
        detail = f"not there yet: {kinds}"
        return Finding(
            "Loops properties", Status.HINT, detail, "Make them in Loops under Audience."
        )
    return Finding("Loops properties", Status.OK, "all are there")


def check_newsletter_list(settings: Settings) -> Finding:
    """Whether the mailing list of the newsletter exists."""
    names = {each["id"]: each["name"] for each in read(settings, "/v1/lists")}
    name = names.get(settings.loops_newsletter_list_id)
    if name is None:
        detail = "Loops knows no mailing list of LOOPS_NEWSLETTER_LIST_ID"
        hint = "Copy the list's id in Loops under Settings, Lists."
        return Finding("Loops newsletter", Status.WRONG, detail, hint)
    return Finding("Loops newsletter", Status.OK, f"goes to the list {name}")
