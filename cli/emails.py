"""Commands about emails: previews, and those of which it is unknown whether they were sent."""

from contextlib import closing
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from cli.app import WrongInput, app, assemble, console
from cli.database import ring, session, transaction
from cli.options import Json
from cli.output import show, table_of, write_json
from models import emails as send_log
from models.deliveries.replay import Selection, revive
from models.server import database_time

emails = typer.Typer(no_args_is_help=True, help="How emails look, and which of them are held.")
app.add_typer(emails, name="emails")
SENDERS = ("emails", "emails_awaited", "contacts")  # the handlers that use the send log
# A value for each variable of the templates.
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
    """Write each email, filled in with examples, to an HTML file for the browser."""
    from handlers.emails.templates import sources
    from sandbox.loops.templates import Template

    folder.mkdir(parents=True, exist_ok=True)
    for name, source in sources().items():
        file = folder / f"{name}.html"
        file.write_text(Template(name, source).render(EXAMPLES), encoding="utf-8")
        console.print(f"{file}", highlight=False)


@emails.command()
def held(as_json: Json = False) -> None:
    """List emails of which it is unknown whether they were sent.

    Loops did not answer, and for 24 hours the request could not be repeated under
    the same idempotency key; since then, Loops has forgotten the key. Loops' own log
    shows, by the time of the attempt, whether each was sent.
    """
    with closing(assemble()) as assembly, transaction(assembly) as connection:
        rows = send_log.held(connection)
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
        bool | None, typer.Option("--sent/--not-sent", help="What Loops' log shows.")
    ] = None,
    event: Annotated[UUID | None, typer.Option(help="Only the email of this event.")] = None,
) -> None:
    """Record whether held emails were sent. Those that were not are sent now."""
    if sent is None:
        raise WrongInput("Were they sent? Say --sent or --not-sent.")
    with closing(assemble()) as assembly:
        with session(assembly) as opened:
            events = send_log.resolve_held(opened, sent=sent, event=event)
        # Now that the log knows, each sender may try its dead letter again: it sends, or is done.
        with transaction(assembly) as connection:
            began = database_time(connection)
            for each in events:
                for handler in SENDERS:
                    revive(connection, Selection(handler=handler, event=each), began)
        ring(assembly)
    console.print(f"{len(events):,} emails are settled.")
