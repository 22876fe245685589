"""Commands that show whether providers are on, and switch them on and off."""

from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.app import WrongInput, app, assemble, console
from cli.database import ring, transaction
from cli.options import Json
from cli.output import NO_HANDLER, show, table_of, write_json
from cli.retire import end_waiting, forget_all
from models.deliveries.backlog import HandlerBacklog, summary
from models.deliveries.replay import Selection, count_history
from models.providers import Provider, switch_off, switch_on
from models.providers import providers as read_providers
from runtime.clients import PROVIDER_SETTINGS
from runtime.registration import history_commands

if TYPE_CHECKING:
    from sqlalchemy import Connection

providers = typer.Typer(help="Which providers are on; `on NAME` and `off NAME` switch.")
app.add_typer(providers, name="providers")
ProviderName = Annotated[
    str, typer.Argument(metavar="NAME", help="As `insights providers` lists it.")
]


@providers.callback(invoke_without_command=True)
def list_providers(context: typer.Context, as_json: Json = False) -> None:
    """Show which providers are on, and for which of them this host has the key.

    It is one fact for all hosts, in the database. `insights migrate` and a worker
    that have the key switch on a provider about which nobody has decided yet;
    until then it is off. While it is off, nothing is owed to its handlers.
    """
    if context.invoked_subcommand is not None:
        return
    with closing(assemble()) as assembly, transaction(assembly) as connection:
        found = read_providers(connection)
        backlogs = {row.handler: row for row in summary(connection)}
        keys = assembly.providers
    if as_json:
        write_json({"providers": [entry(each, keys, backlogs) for each in found]})
        return
    table = table_of("provider", "state", "key here", "owed", "handlers")
    for each in found:
        owed = f"{owed_by(each, backlogs):,}"
        key = "yes" if each.name in keys else "no"
        names = ", ".join(each.handlers) or NO_HANDLER
        table.add_row(each.name, state_of(each), key, owed, names)
    show(table)


@providers.command("on")
def switch_provider_on(name: ProviderName, as_json: Json = False) -> None:
    """Owe events to a provider's handlers from now on, and say how to replay the past."""
    with closing(assemble()) as assembly:
        with transaction(assembly) as connection:
            provider = require_provider(connection, name)
            switch_on(connection, name)
            # One that was on already has no time that could be replayed.
            past = {
                handler: count_history(connection, Selection(handler, since=since_of(provider)))
                for handler in provider.handlers
                if not provider.is_on
            }
        ring(assembly)
        has_key = name in assembly.providers
    commands = history_commands([each for each in past if past[each]], since_of(provider))
    if as_json:
        plain = [command.strip("`") for command in commands]
        write_json({"provider": name, "is_on": True, "history": past, "commands": plain})
        return
    console.print(f"{name} is on: events are owed to {', '.join(provider.handlers) or 'nobody'}.")
    if not has_key:
        setting = PROVIDER_SETTINGS.get(name, name).upper()
        console.print(f"This host has no {setting}: what is owed waits for a worker that has it.")
    if commands:
        console.print("What happened while it was off is not owed. If it is wanted:")
        for command in commands:
            console.print(f"  {command.strip('`')}", soft_wrap=True, highlight=False)


@providers.command("off")
def switch_provider_off(
    name: ProviderName,
    forget: Annotated[
        bool, typer.Option("--forget", help="Delete what its handlers owe already.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Owe nothing to a provider's handlers from now on, on any host, whatever keys it has.

    What they owe already waits until the provider is on again, unless --forget
    deletes it.
    """
    with closing(assemble()) as assembly:
        with transaction(assembly) as connection:
            provider = require_provider(connection, name)
            switch_off(connection, name)
        forgotten = sum(forget_all(assembly, each) for each in provider.handlers if forget)
        end_waiting(assembly)
        with transaction(assembly) as connection:
            owed = owed_by(provider, {row.handler: row for row in summary(connection)})
    if as_json:
        write_json({"provider": name, "is_on": False, "owed": owed, "forgotten": forgotten})
        return
    names = ", ".join(provider.handlers) or "nobody"
    console.print(f"{name} is off: nothing is owed to {names} from now on.")
    if forgotten:
        console.print(f"{forgotten:,} deliveries are forgotten.")
    if owed:
        console.print(
            f"{owed:,} deliveries that are owed already wait until it is on again; "
            f"`insights providers off {name} --forget` deletes them."
        )


def require_provider(connection: "Connection", name: str) -> Provider:
    """The provider. Raises WrongInput with the list if there is none of that name."""
    found = read_providers(connection)
    for each in found:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in found) or "none"
    raise WrongInput(f"No provider is called '{name}'. There are: {names}.")


def since_of(provider: Provider) -> datetime | None:
    """Since when nothing was owed; None where nobody ever decided: all of the past."""
    return None if provider.is_on is None else provider.off_since


def state_of(provider: Provider) -> str:
    """Whether a provider is on, in a word or two."""
    if provider.is_on is None:
        return "[yellow]undecided, so off[/yellow]"
    return "[green]on[/green]" if provider.is_on else "[yellow]off[/yellow]"


def owed_by(provider: Provider, backlogs: Mapping[str, HandlerBacklog]) -> int:
    """How much all handlers of a provider owe, dead letters too."""
    rows = [backlogs[name] for name in provider.handlers if name in backlogs]
    return sum(row.due + row.leased + row.waiting + row.dead for row in rows)


def entry(
    provider: Provider, keys: frozenset[str], backlogs: Mapping[str, HandlerBacklog]
) -> dict[str, Any]:
    """One provider as JSON; `is_on` is null while nobody has decided, which counts as off."""
    return {
        "name": provider.name,
        "is_on": provider.is_on,
        "off_since": provider.off_since,
        "key_here": provider.name in keys,
        "handlers": provider.handlers,
        "owed": owed_by(provider, backlogs),
    }
