"""The command that lists event types, exports their schemas and releases the contract."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer

from cli.app import WrongInput, app, assemble, console
from cli.options import Json
from cli.output import NO_HANDLER, show, table_of, write_json
from events import Catalogue, load_catalogue
from events.contract import (
    asyncapi,
    breaking_changes,
    json_schema,
    read_released,
    write_released,
)
from events.contract.schema import Schema, data_schema
from handlers import Handler


@app.command()
def catalogue(
    as_json: Json = False,
    as_json_schema: Annotated[
        bool, typer.Option("--json-schema", help="Print the JSON Schema of each type's data.")
    ] = False,
    as_asyncapi: Annotated[
        bool, typer.Option("--asyncapi", help="Print an AsyncAPI 3 document of the web API.")
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Make this the contract that later changes keep to.")
    ] = False,
) -> None:
    """List the types of events: their fields, and who handles them.

    A field with a question mark may be left out.

    --release writes events/released.json. It refuses a change that would break
    publishers of a type whose version was not raised.
    """
    if as_json + as_json_schema + as_asyncapi + release > 1:
        raise WrongInput("--json, --json-schema, --asyncapi and --release exclude each other.")
    if release:
        release_contract()
        return
    with closing(assemble()) as assembly:
        types, followed = assembly.catalogue, followers(assembly.catalogue, assembly.handlers)
    if as_json_schema:
        write_json(json_schema(types))
    elif as_asyncapi:
        write_json(asyncapi(types.publishable(), followed, installed_version()))
    elif as_json:
        write_json([entry(type_, data_schema(types[type_]), followed[type_]) for type_ in types])
    else:
        show_catalogue(types, followed)


def followers(types: Catalogue, known: Mapping[str, Handler]) -> dict[str, list[str]]:
    """Event type → the names of its handlers."""
    return {
        type_: [name for name, handler in known.items() if type_ in handler.types]
        for type_ in types
    }


def release_contract() -> None:
    """Make today's contract the released one. Raises WrongInput if that breaks publishers."""
    # Without EXTRA_PACKAGES: their types are not this project's to promise.
    old, new = read_released(), json_schema(load_catalogue())
    if broken := breaking_changes(old, new):
        raise WrongInput(
            "This would break those who publish by the released contract:\n  "
            + "\n  ".join(broken)
            + "\nRaise the `version` of these types. Take a type that is no longer published "
            "out of events/released.json by hand."
        )
    write_released(new)
    added = new["$defs"].keys() - old["$defs"].keys()
    console.print(f"Released {len(new['$defs'])} types, {len(added)} of them new.")


def installed_version() -> str:
    try:
        return version("insights-workers")
    except PackageNotFoundError:
        return "0.0.0"


def entry(type_: str, schema: Schema, names: Sequence[str]) -> dict[str, Any]:
    """One type as JSON."""
    return {
        "type": type_,
        "version": schema["x-version"],
        "description": schema["description"],
        "user_required": schema["x-user-required"],
        "fields": {
            name: {"required": name in schema["required"], "schema": rule}
            for name, rule in schema["properties"].items()
        },
        "handlers": names,
    }


def show_catalogue(types: Catalogue, followed: Mapping[str, Sequence[str]]) -> None:
    table = table_of("type", "version", "fields", "handled by")
    for type_ in types:
        schema = data_schema(types[type_])
        fields = [
            name if name in schema["required"] else f"{name}?" for name in schema["properties"]
        ]
        handled = ", ".join(followed[type_]) or NO_HANDLER
        table.add_row(type_, str(schema["x-version"]), ", ".join(fields), handled)
    show(table)
