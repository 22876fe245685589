"""Loops's REST API, below `/loops/api/v1` (https://loops.so/docs/api-reference)."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.authentication import accepts_key
from sandbox.loops.errors import ApiError, check_lengths, check_properties, valid_email
from sandbox.loops.pagination import page_of
from sandbox.loops.team import ContactEvent, Team
from sandbox.providers import providers_of

Endpoint: TypeAlias = Callable[[Request], Awaitable[JSONResponse]]
Answer: TypeAlias = Callable[[Team, Request, dict[str, Any]], Any]
# Keys of an event's body that are not properties of the contact.
EVENT_KEYS = {"email", "userId", "eventName", "eventProperties", "mailingLists"}
PROPERTY_TYPES = {"string", "number", "boolean", "date"}


def endpoint(answer: Answer) -> Endpoint:
    """What all endpoints share: authentication, rate limit, body, and rate limit headers."""

    async def handle(request: Request) -> JSONResponse:
        team = providers_of(request).loops
        raw = await request.body()
        try:
            check_key(request.headers.get("authorization", ""))
            team.count_request()
            body = parse(raw)
            check_lengths(body)
            response = JSONResponse(answer(team, request, body))
        except ApiError as error:
            response = error.response
        response.headers["x-ratelimit-limit"] = str(team.per_second)
        response.headers["x-ratelimit-remaining"] = str(team.remaining)
        return response

    return handle


def check_key(authorization: str) -> None:
    """Raises ApiError 401."""
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not accepts_key(key):
        raise ApiError(401, "Invalid API key")


def parse(raw: bytes) -> dict[str, Any]:
    """The JSON object of a body, empty where there is no body. Raises ApiError 400."""
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(400, "The body must be a JSON object.")
    return body


def api_key(_team: Team, _request: Request, _body: dict[str, Any]) -> Any:
    """The team that the key belongs to."""
    return {"success": True, "teamName": "Sandbox"}


def create_contact(team: Team, _request: Request, body: dict[str, Any]) -> Any:
    return {"success": True, "id": team.audience.create(body, team.clock.now()).id}


def update_contact(team: Team, _request: Request, body: dict[str, Any]) -> Any:
    """Create or update a contact."""
    return {"success": True, "id": team.audience.upsert(body, team.clock.now()).id}


def find_contact(team: Team, request: Request, _body: dict[str, Any]) -> Any:
    """An array of the contact, empty where it is unknown."""
    email, user_id = request.query_params.get("email"), request.query_params.get("userId")
    if (email is None) == (user_id is None):
        raise ApiError(400, "Exactly one of email and userId is required.")
    contact = team.audience.find(email, user_id)
    return [contact.as_json()] if contact else []


def delete_contact(team: Team, _request: Request, body: dict[str, Any]) -> Any:
    team.audience.delete(body.get("email"), body.get("userId"))
    return {"success": True, "message": "Contact deleted."}


def create_property(team: Team, _request: Request, body: dict[str, Any]) -> Any:
    """Declare a property that contacts may have."""
    name, type_ = body.get("name"), body.get("type")
    if not isinstance(name, str) or not name.isidentifier() or type_ not in PROPERTY_TYPES:
        raise ApiError(400, "name must be camelCase, type one of string, number, boolean, date.")
    team.properties[name] = type_
    return {"success": True}


def list_properties(team: Team, _request: Request, _body: dict[str, Any]) -> Any:
    return [{"key": key, "label": key, "type": type_} for key, type_ in team.properties.items()]


def list_mailing_lists(team: Team, _request: Request, _body: dict[str, Any]) -> Any:
    return [
        {"id": id_, "name": name, "description": None, "isPublic": True}
        for id_, name in team.lists.items()
    ]


def send_event(team: Team, request: Request, body: dict[str, Any]) -> Any:
    """Record an event of a contact. Other keys of the body are properties of the contact."""
    name, email, user_id = body.get("eventName"), body.get("email"), body.get("userId")
    if not isinstance(name, str) or not name:
        raise ApiError(400, "eventName is required.", path="eventName")
    if email is None and user_id is None:
        raise ApiError(400, "An email or userId is required.", path="email")
    if email is None and team.audience.find(user_id=user_id) is None:
        raise ApiError(400, "No contact has this userId; an email is required.", path="email")
    properties = body.get("eventProperties") or {}
    check_properties(properties)
    key = request.headers.get("idempotency-key")
    contact = {k: v for k, v in body.items() if k not in EVENT_KEYS}
    ids = {k: body[k] for k in ("email", "userId", "mailingLists") if body.get(k) is not None}
    team.use_key(key)
    # A request that is refused must not use up its key: the client corrects it and tries again.
    try:
        team.audience.upsert(ids | contact, team.clock.now())
    except ApiError:
        team.keys.pop(str(key), None)
        raise
    team.events.append(ContactEvent(name, email, user_id, properties, key, team.clock.now()))
    return {"success": True}


def send_transactional(team: Team, request: Request, body: dict[str, Any]) -> Any:
    id_, data = body.get("transactionalId"), body.get("dataVariables") or {}
    if not isinstance(id_, str):
        raise ApiError(400, "transactionalId is required.", path="transactionalId")
    for name, value in data.items():
        if not isinstance(value, str | int | float | list) or isinstance(value, bool):
            raise ApiError(400, f"{name} must be a string or a number.", path=name)
    key = request.headers.get("idempotency-key")
    add = bool(body.get("addToAudience"))
    team.send(id_, valid_email(body.get("email")), data, key, add_to_audience=add)
    return {"success": True}


def list_transactional(team: Team, request: Request, _body: dict[str, Any]) -> Any:
    """The published emails, a page of them."""
    rows = [
        {"id": id_, "name": each.name, "dataVariables": sorted(each.variables)}
        for id_, each in team.templates.items()
    ]
    return page_of(rows, request.url)


ENDPOINTS: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/api-key", api_key),
    ("POST", "/contacts/create", create_contact),
    ("PUT", "/contacts/update", update_contact),
    ("GET", "/contacts/find", find_contact),
    ("POST", "/contacts/delete", delete_contact),
    ("POST", "/contacts/properties", create_property),
    ("GET", "/contacts/properties", list_properties),
    ("GET", "/lists", list_mailing_lists),
    ("POST", "/events/send", send_event),
    ("POST", "/transactional", send_transactional),
    ("GET", "/transactional-emails", list_transactional),
)
ROUTES = [
    Route(f"/loops/api/v1{path}", endpoint(answer), methods=[method])
    for method, path, answer in ENDPOINTS
]
