"""The command that replays dead letters, or past events for one handler."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from cli.app import WrongInput, app, assemble, console
from cli.database import require_handler, ring, transaction
from cli.options import Json, optional_time
from cli.output import show, sum_with_progress, table_of, write_json
from models.deliveries.backlog import summary
from models.deliveries.replay import (
    Selection,
    count_dead,
    count_history,
    owe_history,
    revive,
)
from models.server import database_time
from runtime.assembly import Assembly

if TYPE_CHECKING:
    from sqlalchemy import Connection

CONFIRM_HISTORY = "Replay them? What was handled before is handled again."
TIME = "an ISO time (UTC unless it has an offset), or 24h for 24 hours ago"


@app.command()
def replay(
    *,
    handler: Annotated[str | None, typer.Option(help="Only for this handler.")] = None,
    event: Annotated[UUID | None, typer.Option(help="Only this event.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only events of this type.")] = None,
    since: Annotated[str | None, typer.Option(help=f"Only recorded since: {TIME}.")] = None,
    until: Annotated[str | None, typer.Option(help="Only recorded before.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Dead letters, all that match.")] = False,
    history: Annotated[bool, typer.Option("--history", help="Past events, for --handler.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count, per handler.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Make dead letters due again, or have a handler handle past events.

    Dead letters start afresh, with all their attempts. --history, or --since without
    --dead, gives --handler all past events of the types it follows, even those that
    it has handled; it may be interrupted and repeated.

    Effects outside keep their idempotency key: a provider that remembers the key
    does nothing twice, one that has forgotten it (Loops after 24 hours) sends again.
    """
    chosen = Selection(handler, event, type_, optional_time(since), optional_time(until))
    past = is_history(chosen, dead=dead, history=history)
    if as_json and not (dry_run or yes):
        raise WrongInput("--json cannot ask. Add --yes, or --dry-run to count only.")
    with closing(assemble()) as assembly:
        counts = count(assembly, chosen, past=past)
        if not as_json:
            show_counts(counts, past=past)
        wanted = not dry_run and any(counts.values())
        if wanted and not yes:
            typer.confirm(CONFIRM_HISTORY if past else "Replay them?", abort=True)
        replayed = replay_now(assembly, chosen, past=past) if wanted else 0
    if as_json:
        mode = "history" if past else "dead"
        write_json({"mode": mode, "dry_run": dry_run, "handlers": counts, "replayed": replayed})
    elif replayed:
        console.print(f"{replayed:,} deliveries are due now.")


def is_history(chosen: Selection, *, dead: bool, history: bool) -> bool:
    """True for past events, False for dead letters. Raises WrongInput if that is not clear."""
    if dead and history:
        raise WrongInput("--dead and --history exclude each other.")
    if not (dead or history) and chosen == Selection():
        raise WrongInput(
            "Replay what? Select by --dead, --handler, --event, --type or --since; "
            "`insights replay --dead --dry-run` counts all dead letters."
        )
    if chosen.until and not (dead or history or chosen.since):
        raise WrongInput("With --until, say which: --dead or --history.")
    past = history or (chosen.since is not None and not dead)
    if past and chosen.handler is None:
        raise WrongInput(
            "The history of events is for one handler: add --handler, or --dead for dead letters."
        )
    return past


def count(assembly: Assembly, chosen: Selection, *, past: bool) -> dict[str, int]:
    """How much there is to replay, per handler. Raises WrongInput, UnknownEvent."""
    if chosen.type is not None:
        assembly.catalogue[chosen.type]
    with transaction(assembly) as connection:
        if chosen.handler is not None:
            require_handler(connection, chosen.handler)
            require_on(connection, chosen.handler)
            if past:
                return {chosen.handler: count_history(connection, chosen)}
        return count_dead(connection, chosen)


def require_on(connection: "Connection", handler: str) -> None:
    """Raises WrongInput while the handler's provider is off: nothing is owed to it then."""
    for row in summary(connection, handler):
        if row.is_off:
            raise WrongInput(
                f"{handler} is off, since its provider is: `insights providers on {row.provider}`."
            )


def replay_now(assembly: Assembly, chosen: Selection, *, past: bool) -> int:
    """Make all that is chosen due, then ring the relay; return how many deliveries are due."""
    replayed = sum_with_progress(steps(assembly, chosen, past=past), "due")
    ring(assembly)
    return replayed


def steps(assembly: Assembly, chosen: Selection, *, past: bool) -> Iterator[int]:
    """Replay in steps, each in its own transaction; yields how many deliveries each made due."""
    if past:
        yield from history_steps(assembly, chosen)
    else:
        yield from dead_steps(assembly, chosen)


def history_steps(assembly: Assembly, chosen: Selection) -> Iterator[int]:
    """Make deliveries of past events for one handler, in the order of the events' ids."""
    after = None
    while True:
        with transaction(assembly) as connection:
            chunk = owe_history(connection, chosen, after)
        # Each step is committed before the next begins, so an interruption loses one at most.
        yield chunk.owed
        if chunk.last is None:
            return
        after = chunk.last


def dead_steps(assembly: Assembly, chosen: Selection) -> Iterator[int]:
    """Make dead letters due again."""
    # What dies again during the replay is left dead, or one hopeless letter would never let it end.
    with transaction(assembly) as connection:
        began = database_time(connection)
    while True:
        with transaction(assembly) as connection:
            revived = revive(connection, chosen, began)
        if not revived:
            return
        yield revived


def show_counts(counts: dict[str, Any], *, past: bool) -> None:
    what = "past events" if past else "dead letters"
    if not any(counts.values()):
        console.print("There is nothing to replay.")
        return
    table = table_of("handler", what)
    for name, number in counts.items():
        table.add_row(name, f"{number:,}")
    show(table)
