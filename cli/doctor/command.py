"""The command that tells what is not right."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict

import typer
from rich.markup import escape

from cli.app import app, assemble, console
from cli.doctor.finding import Finding, Status
from cli.output import Json, show, table_of, write_json

COLORS = {
    Status.OK: "green", Status.HINT: "yellow", Status.OFF: "dim", Status.WRONG: "red"
}  # fmt: skip


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check every server and provider, and say what to do where something is not right.

    Exits with 1 if something is wrong that the product needs: PostgreSQL, Redis,
    the broker, the storage folder, or a provider that refuses our key. Providers
    that are not configured are off, which is no fault: it says what does not
    happen without them.
    """
    from cli.doctor.examination import examine

    with closing(assemble()) as assembly:
        findings = list(examine(assembly))
    well = all(finding.status is not Status.WRONG for finding in findings)
    if as_json:
        write_json({"ok": well, "findings": [asdict(finding) for finding in findings]})
    else:
        show_findings(findings)
        console.print("\n[green]All that is needed is well.[/green]" if well else "")
    if not well:
        raise typer.Exit(1)


def show_findings(findings: Sequence[Finding]) -> None:
    """What was found, with what to do below it."""
    table = table_of("", "", "")
    table.show_header = False
    for finding in findings:
        color = COLORS[finding.status]
        hint = f"\n[yellow]{escape(finding.hint)}[/yellow]" if finding.hint else ""
        table.add_row(
            finding.what, f"[{color}]{finding.status}[/{color}]", escape(finding.detail) + hint
        )
    show(table)
