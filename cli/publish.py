"""The command that publishes an event by hand."""

import json
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from sqlalchemy.orm import Session

from cli.app import WrongInput, app, assemble, console
from cli.database import database_errors
from cli.options import Json, optional_time
from cli.output import write_json
from events import Event
from events import publish as publish_events
from events.contract.schema import data_schema
from events.errors import TooFarAhead
from events.event import ENVELOPE
from events.identity import event_id

OPTIONS = {"user_id": "--user", "id": "--id", "occurred_at": "--occurred-at", "source": "--source"}


@app.command()
def publish(
    type_: Annotated[
        str, typer.Argument(metavar="TYPE", help="What happened, such as user.signed_up.")
    ],
    user: Annotated[str | None, typer.Option(help="Whose event it is: a UUID.")] = None,
    data: Annotated[
        str, typer.Option(help="Its fields: JSON, @FILE, or - for standard input.")
    ] = "{}",
    id_: Annotated[
        str | None, typer.Option("--id", help="Its id: a UUID, or any text of yours.")
    ] = None,
    occurred_at: Annotated[
        str | None, typer.Option(help="When it happened: 2026-11-22T10:00Z, or 2h for 2 hours ago.")
    ] = None,
    source: Annotated[
        str, typer.Option(help="Who publishes; with a text as --id, part of the id.")
    ] = "cli",
    as_json: Json = False,
) -> None:
    """Publish an event. Publishing the same --id twice is publishing it once.

    Example: insights publish user.logged_in --user 0198c0de-0000-7000-8000-000000000001
    """
    with closing(assemble()) as assembly:
        class_ = assembly.catalogue[type_]
        when = optional_time(occurred_at)
        envelope = {
            "id": parse_id(id_, source), "source": source, "user_id": user,
            "occurred_at": None if when is None else when.isoformat(),
        }  # fmt: skip
        event = event_of(class_, read_data(data), envelope)
        with database_errors(), assembly.sessions.begin() as session:
            new = publish_one(session, event)
    if as_json:
        write_json({"id": event.id, "type": type_, "new": new})
    elif new:
        console.print(f"published {event.id}")
    else:
        console.print(f"{event.id} was published before: nothing follows from it again")


def publish_one(session: Session, event: Event) -> bool:
    """Publish an event; return whether it was new. Raises WrongInput."""
    try:
        return event.id in publish_events(session, event)
    except TooFarAhead as error:
        raise WrongInput(f"--occurred-at: {error}") from None


def parse_id(given: str | None, source: str) -> str | None:
    """A UUID as it is; for any other text, always the same UUID per source. Raises WrongInput."""
    if given == "":
        raise WrongInput("--id is empty. Leave it out, and the event gets a new id.")
    try:
        return None if given is None else str(event_id(source, given))
    except UnicodeEncodeError:
        raise WrongInput("--id and --source must be UTF-8 text.") from None


def read_data(given: str) -> dict[str, Any]:
    """The JSON object in an argument, in a file, or on standard input. Raises WrongInput."""
    try:
        data = json.loads(read_text(given), parse_constant=refuse_constant)
    except OSError as error:
        raise WrongInput(f"--data: {given[1:]} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise WrongInput(f"--data is not JSON: {error}.") from None
    if not isinstance(data, dict):
        raise WrongInput('--data must be a JSON object, such as {"email": "ada@example.com"}.')
    if wrong := ENVELOPE & data.keys():
        name = min(wrong)
        raise WrongInput(
            f"--data: '{name}' belongs to the event's envelope. "
            + (f"Give it by {OPTIONS[name]}." if name in OPTIONS else "Leave it out.")
        )
    return data


def read_text(given: str) -> str:
    """The content of the file of `@FILE`, of standard input for `-`, or the argument itself."""
    if given == "-":
        return sys.stdin.read()
    return Path(given[1:]).read_text(encoding="utf-8") if given.startswith("@") else given


def refuse_constant(name: str) -> None:
    """Raises ValueError: Python's parser takes NaN and Infinity, which are not JSON."""
    raise ValueError(f"{name} is not a JSON value")


def event_of(
    class_: type[Event], data: dict[str, Any], envelope: Mapping[str, str | None]
) -> Event:
    """The event; what is None in the envelope counts as left out. Raises WrongInput."""
    given = {name: value for name, value in envelope.items() if value is not None}
    # As JSON, of which strict validation takes texts for ids and times, but none for numbers.
    try:
        return class_.model_validate_json(json.dumps(data | given), strict=True)
    except ValidationError as error:
        wrong = "; ".join(complaint(each, class_) for each in error.errors(include_url=False))
        raise WrongInput(f"This is no {class_.type}: {wrong}.") from None


def complaint(error: Any, class_: type[Event]) -> str:
    """One thing that is wrong, by the name of the option or field that it was given as."""
    first, *deeper = error["loc"] or ("",)
    if first in OPTIONS:
        name = OPTIONS[first]
    else:
        name = f"the field '{'.'.join(map(str, (first, *deeper)))}'"
    if error["type"] == "missing":
        return f"{name} is missing"
    if error["type"] == "extra_forbidden":
        fields = ", ".join(data_schema(class_)["properties"]) or "no fields"
        return f"there is no field '{first}' (it has {fields})"
    return f"{name}: {error['msg']}"
