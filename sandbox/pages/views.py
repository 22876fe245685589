"""The pages: inbox, contacts, people, flags, errors and traces."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.posthog.project import groups_of, percentage
from sandbox.sentry.traces import traces_of
from sandbox.world import World

pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
TABS = {
    "/": "Inbox",
    "/contacts": "Contacts",
    "/people": "People",
    "/flags": "Flags",
    "/errors": "Errors",
}


def page(request: Request, name: str, **data: Any) -> Response:
    """One page in the frame that all share."""
    world: World = request.app.state.world
    frame = {"tabs": TABS, "here": request.url.path, "faults": world.faults.of}
    return HTMLResponse(pages.get_template(name).render(**frame, **data))


async def inbox(request: Request) -> Response:
    """Every email, the newest first, and one of them as its reader sees it."""
    mails = request.app.state.world.loops.mails
    wanted = int(request.query_params.get("mail") or len(mails))
    chosen = next((mail for mail in mails if mail.id == wanted), None)
    return page(request, "inbox.html", mails=mails[::-1][:500], chosen=chosen)


async def email(request: Request) -> Response:
    """The email alone, as it was sent."""
    for mail in request.app.state.world.loops.mails:
        if mail.id == request.path_params["id"]:
            return HTMLResponse(mail.html)
    return HTMLResponse("No such email.", 404)


async def contacts(request: Request) -> Response:
    """The audience at Loops, and the events that drive its workflows."""
    team = request.app.state.world.loops
    shown = [contact.shown() for contact in team.audience.contacts[::-1][:500]]
    return page(request, "contacts.html", contacts=shown, events=team.events[::-1][:200])


async def people(request: Request) -> Response:
    """Persons and their events, after de-duplication."""
    project = request.app.state.world.posthog
    events = defaultdict(list)
    for each in sorted(project.events(), key=lambda each: each.timestamp):
        events[each.distinct_id].append(each)
    shown = [(id_, project.persons.get(id_, {}), events[id_][-100:]) for id_ in list(events)[-100:]]
    return page(request, "people.html", people=shown, warnings=project.warnings)


async def flags(request: Request) -> Response:
    """The flags at PostHog, and whom they are rolled out to."""
    shown = [
        (flag, [(percentage(group), conditions(group)) for group in groups_of(flag)])
        for flag in request.app.state.world.posthog.flags
    ]
    return page(request, "flags.html", flags=shown)


def conditions(group: Mapping[str, Any]) -> str:
    """What the persons of a group have in common."""
    found = group.get("properties") or []
    return ", ".join(f"{each.get('key')}: {each.get('value')}" for each in found)


async def errors(request: Request) -> Response:
    """Errors, the traces of what was done, and the check-ins of scheduled jobs."""
    intake = request.app.state.world.sentry
    traces = traces_of(intake.of_type("transaction")[-2000:])
    return page(
        request,
        "errors.html",
        errors=intake.of_type("event")[::-1][:200],
        traces=traces,
        check_ins=intake.of_type("check_in")[::-1][:50],
    )


ROUTES = [
    Route("/", inbox),
    Route("/inbox/{id:int}", email),
    Route("/contacts", contacts),
    Route("/people", people),
    Route("/flags", flags),
    Route("/errors", errors),
]
