"""The command that unsubscribes a handler: the only way in which a subscription ends."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from cli.app import WrongInput, assemble, console
from cli.database import ring, transaction
from cli.handlers import handlers
from cli.options import HandlerName
from cli.output import sum_with_progress
from models import subscriptions
from models.deliveries.backlog import summary
from models.deliveries.dependencies import sweep
from models.deliveries.forget import Debt, count_owed
from models.deliveries.forget import forget as forget_some
from models.handlers import table as handler_table
from runtime.assembly import Assembly
from services.redis.doorbell import queue_bell
from settings import MissingSetting

if TYPE_CHECKING:
    from sqlalchemy import Connection

STILL_RUNS = "its release or package subscribes it again at the next `insights migrate`."


@handlers.command()
def retire(
    handler: HandlerName,
    event: Annotated[
        str | None, typer.Option(metavar="TYPE", help="End only its subscription to this type.")
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Delete what it owes already.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Unsubscribe a handler that no release has any more, or that ceased to follow a type.

    `insights migrate` never does: an older or newer release may run beside.
    What the handler owes already is kept for workers that still have it, unless
    --forget deletes it. A handler that owes nothing is forgotten as a whole.

    It is refused for what this code still follows, since the next `insights migrate`
    would subscribe it again; `insights pause` stops such a handler.
    """
    with closing(assemble()) as assembly:
        with transaction(assembly) as connection:
            types = types_to_retire(connection, assembly, handler, event)
            debt = count_owed(connection, handler, event)
        console.print(plan(handler, types, debt, forget=forget), highlight=False, soft_wrap=True)
        if event is None and runs_somewhere(assembly, handler):
            console.print(f"[yellow]A worker that has {handler} runs now:[/yellow] {STILL_RUNS}")
        if not yes:
            typer.confirm("Retire it?", abort=True)
        with transaction(assembly) as connection:
            subscriptions.unsubscribe(connection, handler, event)
        # After the subscriptions are gone: until then more may be owed.
        if forget:
            forget_all(assembly, handler, event)
        with transaction(assembly) as connection:
            left = count_owed(connection, handler)
            if event is None and not left.owed:
                handler_table.remove(connection, handler)
        end_waiting(assembly)
    console.print(f"{handler} is retired{f' from {event}' if event else ''}.", highlight=False)


def types_to_retire(
    connection: "Connection", assembly: Assembly, handler: str, event: str | None
) -> list[str]:
    """The types that the handler is to follow no more.

    Raises WrongInput where there is no such handler or subscription, or this code still has it.
    """
    known = {row.handler for row in summary(connection)}
    if handler not in known:
        names = ", ".join(sorted(known)) or "none"
        raise WrongInput(f"No handler is called '{handler}'. There are: {names}.")
    followed = sorted(
        type_ for type_, name in subscriptions.subscriptions(connection) if name == handler
    )
    code = assembly.handlers.get(handler)
    if code is not None and (event is None or event in code.types):
        what = f"follows {event} with {handler}" if event else f"has the handler {handler}"
        raise WrongInput(
            f"This code still {what}: the next `insights migrate` would subscribe it again. Retire "
            f"it by code that does not, or stop it by `insights pause {handler}`."
        )
    if event is None:
        return followed
    if event not in followed and not count_owed(connection, handler, event).owed:
        raise WrongInput(f"{handler} does not follow {event}. It follows: {', '.join(followed)}.")
    return [event]


def runs_somewhere(assembly: Assembly, handler: str) -> bool:
    """Whether a worker, of other code than this, listens for the handler's work over Redis."""
    try:
        return assembly.doorbell.listeners(queue_bell(handler)) > 0
    except MissingSetting:
        return False


def plan(handler: str, types: list[str], debt: Debt, *, forget: bool) -> str:
    """What retiring will do, in words."""
    sentence = f"{handler} will no longer follow {', '.join(types) or 'anything'}."
    if not debt.owed:
        return f"{sentence} It owes nothing."
    owed = f"It owes {debt.owed:,} deliveries ({debt.dead:,} of them dead)"
    if forget:
        return f"{sentence} {owed}, which will be deleted: nobody will do them."
    return (
        f"{sentence} {owed}, which are kept for workers that still have it; with --forget they are "
        "deleted."
    )


def end_waiting(assembly: Assembly) -> None:
    """Let go on what waits for handlers that are retired, off, or owe nothing any more."""
    last: int | None = -1
    while last is not None:
        with transaction(assembly) as connection:
            last = sweep(connection, last).last
    ring(assembly)


def forget_all(assembly: Assembly, handler: str, type_: str | None = None) -> int:
    """Delete what a handler owes, in steps of a transaction each; return how much that was."""

    def steps() -> Iterator[int]:
        while True:
            with transaction(assembly) as connection:
                count = forget_some(connection, handler, type_)
            if not count:
                return
            yield count

    return sum_with_progress(steps(), "forgotten")
