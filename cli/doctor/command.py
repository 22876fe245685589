"""The command that checks every server and provider."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict

import typer
from rich.markup import escape

from cli.app import app, assemble, console
from cli.doctor.finding import Finding, Status
from cli.options import Json
from cli.output import show, table_of, write_json
from runtime.assembly import Assembly

COLORS = {
    Status.OK: "green", Status.HINT: "yellow", Status.OFF: "dim", Status.WRONG: "red"
}  # fmt: skip


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check every server and provider, and say what to do where something is not right.

    Exits with 1 if something is wrong that the product needs: PostgreSQL, Redis,
    the broker, the storage folder, or a provider that refuses our key. A provider
    that is not configured is off, which is no fault: the line says what does not
    happen without it.
    """
    with closing(assemble()) as assembly:
        findings = list(check_all(assembly))
    ok = all(finding.status is not Status.WRONG for finding in findings)
    if as_json:
        write_json({"ok": ok, "findings": [asdict(finding) for finding in findings]})
    else:
        show_findings(findings)
        console.print("\n[green]All that is needed is well.[/green]" if ok else "")
    if not ok:
        raise typer.Exit(1)


def check_all(assembly: Assembly) -> Iterator[Finding]:
    """Check all that the settings name; takes a few seconds where nothing answers."""
    from cli.doctor.broker import check_broker
    from cli.doctor.loops import check_loops
    from cli.doctor.postgres import check_postgres
    from cli.doctor.providers import check_providers
    from cli.doctor.redis import check_redis
    from cli.doctor.storage import check_storage

    yield from check_postgres(assembly)
    yield from check_redis(assembly.settings)
    yield from check_broker(assembly.settings)
    yield check_storage(assembly.settings)
    yield from check_providers(assembly.settings)
    yield from check_loops(assembly.settings)


def show_findings(findings: Sequence[Finding]) -> None:
    """Print a table of what was found, with what to do below it."""
    table = table_of("", "", "")
    table.show_header = False
    for finding in findings:
        color = COLORS[finding.status]
        hint = f"\n[yellow]{escape(finding.hint)}[/yellow]" if finding.hint else ""
        table.add_row(
            finding.what, f"[{color}]{finding.status}[/{color}]", escape(finding.detail) + hint
        )
    show(table)
