"""The command that makes things happen again."""

from collections.abc import Iterator
from contextlib import closing
from typing import Annotated, Any
from uuid import UUID

import typer

from cli.app import app, assemble, console
from cli.database import require_handler, ring, transaction
from cli.errors import WrongInput
from cli.moments import maybe_moment
from cli.output import Json, counted, show, table_of, write_json
from models.replay import (
    Selection,
    count_dead,
    count_history,
    database_time,
    owe_history,
    revive,
)
from runtime.assembly import Assembly

HANDLED_TOO = "Replay them? What was handled before is handled again."
TIME = "an ISO time (UTC unless it says else), or 24h for 24 hours ago"


@app.command()
def replay(
    *,
    handler: Annotated[str | None, typer.Option(help="Only for this handler.")] = None,
    event: Annotated[UUID | None, typer.Option(help="Only this event.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only events of this type.")] = None,
    since: Annotated[str | None, typer.Option(help=f"Only recorded since: {TIME}.")] = None,
    until: Annotated[str | None, typer.Option(help="Only recorded before.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Dead letters, all that match.")] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Past events, for a new handler; needs --handler.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count, per handler.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Make dead letters due again, or give a handler the history of events.

    Dead letters start afresh, with all their attempts.

    History (--history, or --since without --dead) gives --handler every past
    event of the types it follows, those too that it has handled before. It may
    be interrupted and repeated.

    Effects outside keep their idempotency key: a provider that remembers the key
    does nothing twice, one that has forgotten it (Loops after 24 hours) sends again.
    """
    chosen = Selection(handler, event, type_, maybe_moment(since), maybe_moment(until))
    past = is_history(chosen, dead=dead, history=history)
    if as_json and not (dry_run or yes):
        raise WrongInput("--json cannot ask. Add --yes, or --dry-run to count only.")
    with closing(assemble()) as assembly:
        counts = count(assembly, chosen, past=past)
        if not as_json:
            show_counts(counts, past=past)
        if not dry_run and any(counts.values()):
            if not yes:
                typer.confirm(HANDLED_TOO if past else "Replay them?", abort=True)
            done = counted(steps(assembly, chosen, past=past), "due")
            ring(assembly)
        else:
            done = 0
    if as_json:
        mode = "history" if past else "dead"
        write_json({"mode": mode, "dry_run": dry_run, "handlers": counts, "replayed": done})
    elif done:
        console.print(f"{done:,} deliveries are due now.")


def is_history(chosen: Selection, *, dead: bool, history: bool) -> bool:
    """Whether past events are meant, or dead letters. Raises WrongInput if that is not clear."""
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
    """How much there is to replay, per handler. Raises WrongInput for an unknown name."""
    if chosen.type is not None:
        assembly.catalogue[chosen.type]
    with transaction(assembly) as connection:
        if chosen.handler is not None:
            require_handler(connection, chosen.handler)
            if past:
                return {chosen.handler: count_history(connection, chosen)}
        return count_dead(connection, chosen)


def steps(assembly: Assembly, chosen: Selection, *, past: bool) -> Iterator[int]:
    """Replay in steps, each in a transaction of its own; yields how many each made due."""
    if past:
        yield from history_steps(assembly, chosen)
    else:
        yield from dead_steps(assembly, chosen)


def history_steps(assembly: Assembly, chosen: Selection) -> Iterator[int]:
    """Give the handler past events, in the order of their ids."""
    after = None
    while True:
        with transaction(assembly) as connection:
            chunk = owe_history(connection, chosen, after)
        yield chunk.owed
        if chunk.last is None:
            return
        after = chunk.last


def dead_steps(assembly: Assembly, chosen: Selection) -> Iterator[int]:
    """Make dead letters due again."""
    with transaction(assembly) as connection:
        began = database_time(connection)
    while True:
        with transaction(assembly) as connection:
            revived = revive(connection, chosen, began)
        if not revived:
            return
        yield revived


def show_counts(counts: dict[str, Any], *, past: bool) -> None:
    """What there is to replay."""
    what = "events it would be given" if past else "dead letters"
    if not any(counts.values()):
        console.print("There is nothing to replay.")
        return
    table = table_of("handler", what)
    for name, number in counts.items():
        table.add_row(name, f"{number:,}")
    show(table)
