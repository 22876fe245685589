"""Commands about emails: how they look, and those of which nobody knows whether they were sent."""

from contextlib import closing
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from cli.app import app, assemble, console
from cli.database import ring, session, transaction
from cli.errors import WrongInput
from cli.output import Json, show, table_of, write_json
from models import emails as ledger
from models.replay import Selection, database_time, revive

emails = typer.Typer(no_args_is_help=True, help="How emails look, and which of them are held.")
app.add_typer(emails, name="emails")
EXAMPLES = {
    "name": "Ada",
    "dashboard_url": "https://app.example.com/dashboard",
    "docs_url": "https://app.example.com/docs",
    "model_name": "Churn in spring",
    "accuracy": "92.31",
    "view_model_url": "https://app.example.com/models/m-1",
    "reason": "The column 'churned' has only one value, so there is nothing to learn from it.",
    "resource": "predictions",
    "current": 80,
    "limit": 100,
    "upgrade_url": "https://app.example.com/pricing",
    "plan": "Pro",
}


@emails.command()
def preview(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("emails-preview"),
) -> None:
    """Write each email to a file, filled in with examples, to look at in a browser."""
    from handlers.emails.templates import sources
    from sandbox.templates import Template

    folder.mkdir(parents=True, exist_ok=True)
    for name, source in sources().items():
        file = folder / f"{name}.html"
        file.write_text(Template(name, source).render(EXAMPLES), encoding="utf-8")
        console.print(f"{file}", highlight=False)


@emails.command()
def held(as_json: Json = False) -> None:
    """List emails of which nobody knows whether they were sent.

    A send was not answered, and for 24 hours after it could not be repeated under
    the same key, which Loops has forgotten since. To whom each went is in Loops'
    own log, by the time of the try.
    """
    with closing(assemble()) as assembly, transaction(assembly) as connection:
        rows = ledger.held(connection)
    if as_json:
        write_json([row._asdict() for row in rows])
        return
    table = table_of("event", "email", "about", "user", "tried at")
    for row in rows:
        tried = f"{row.tried_at:%Y-%m-%d %H:%M:%S %Z}"
        table.add_row(str(row.event_id), row.template, row.about, str(row.user_id), tried)
    show(table) if rows else console.print("No email is held.")


@emails.command()
def settle(
    sent: Annotated[
        bool | None, typer.Option("--sent/--not-sent", help="What Loops' log says of them.")
    ] = None,
    event: Annotated[UUID | None, typer.Option(help="Only the email of this event.")] = None,
) -> None:
    """Say whether held emails were sent. Those that were not are sent now."""
    if sent is None:
        raise WrongInput("Were they sent? Say --sent or --not-sent.")
    with closing(assemble()) as assembly:
        with session(assembly) as opened:
            events = ledger.settle(opened, sent=sent, event=event)
        with transaction(assembly) as connection:
            began = database_time(connection)
            for each in events:
                for handler in ("emails", "emails_awaited", "contacts"):
                    revive(connection, Selection(handler=handler, event=each), began)
        ring(assembly)
    console.print(f"{len(events):,} emails are settled.")
