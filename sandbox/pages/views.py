"""The pages that show what each provider was sent."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.pages.traces import traces_of
from sandbox.posthog.flags import groups_of, rollout_percentage
from sandbox.providers import providers_of

environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
TABS = {
    "/": "Inbox",
    "/contacts": "Contacts",
    "/people": "People",
    "/flags": "Flags",
    "/errors": "Errors",
}


def page(request: Request, name: str, **data: Any) -> Response:
    """Render a template within the frame that all pages share."""
    faults = providers_of(request).faults.of
    frame = {"tabs": TABS, "here": request.url.path, "faults": faults}
    return HTMLResponse(environment.get_template(name).render(**frame, **data))


async def inbox(request: Request) -> Response:
    """The emails, newest first, and one of them as its recipient sees it."""
    # Here and below only the newest are shown: after a benchmark there are many thousands.
    mails = providers_of(request).loops.mails
    wanted = int(request.query_params.get("mail") or len(mails))
    chosen = next((mail for mail in mails if mail.id == wanted), None)
    return page(request, "inbox.html", mails=mails[::-1][:500], chosen=chosen)


async def email(request: Request) -> Response:
    """The HTML of one email alone, for the frame in the inbox."""
    for mail in providers_of(request).loops.mails:
        if mail.id == request.path_params["id"]:
            return HTMLResponse(mail.html)
    return HTMLResponse("No such email.", 404)


async def contacts(request: Request) -> Response:
    """The contacts at Loops, and the events that start and stop workflows."""
    team = providers_of(request).loops
    shown = [contact.as_json() for contact in team.audience.contacts[::-1][:500]]
    return page(request, "contacts.html", contacts=shown, events=team.events[::-1][:200])


async def people(request: Request) -> Response:
    """PostHog's persons and their events, after de-duplication."""
    project = providers_of(request).posthog
    events = defaultdict(list)
    for each in sorted(project.events(), key=lambda each: each.timestamp):
        events[each.distinct_id].append(each)
    shown = [(id_, project.persons.get(id_, {}), events[id_][-100:]) for id_ in list(events)[-100:]]
    return page(request, "people.html", people=shown, warnings=project.warnings)


async def flags(request: Request) -> Response:
    """The feature flags at PostHog, and which persons they are rolled out to."""
    shown = [
        (flag, [(rollout_percentage(group), conditions(group)) for group in groups_of(flag)])
        for flag in providers_of(request).posthog.flags
    ]
    return page(request, "flags.html", flags=shown)


def conditions(group: Mapping[str, Any]) -> str:
    """The conditions on the persons of a group, as text."""
    found = group.get("properties") or []
    return ", ".join(f"{each.get('key')}: {each.get('value')}" for each in found)


async def errors(request: Request) -> Response:
    """Sentry's errors, traces and check-ins of scheduled jobs."""
    project = providers_of(request).sentry
    traces = traces_of(project.of_type("transaction")[-2000:])
    return page(
        request,
        "errors.html",
        errors=project.of_type("event")[::-1][:200],
        traces=traces,
        check_ins=project.of_type("check_in")[::-1][:50],
    )


ROUTES = [
    Route("/", inbox),
    Route("/inbox/{id:int}", email),
    Route("/contacts", contacts),
    Route("/people", people),
    Route("/flags", flags),
    Route("/errors", errors),
]
