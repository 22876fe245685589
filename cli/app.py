"""The application that all commands hang on, and how their errors look."""

import sys
from typing import Any

import psycopg
import typer
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import InterfaceError, OperationalError

from errors import InsightsError
from runtime.assembly import Assembly
from runtime.embedded.discovery import with_running_servers
from runtime.logs import set_up_logs
from runtime.orphans import end_with_parent
from settings import load_settings

console = Console()
problems = Console(stderr=True)


class Commands(typer.core.TyperGroup):
    """Says in a sentence what is wrong, where a traceback would help nobody."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; exit with 1 for errors that have a sentence of their own."""
        try:
            return super().invoke(ctx)
        except InsightsError as error:
            problems.print(
                f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True
            )
        except psycopg.errors.LockNotAvailable:
            problems.print(
                "[red]error:[/red] A table was locked for too long, and nothing was changed. "
                "Try again when long transactions have ended."
            )
        except (OperationalError, InterfaceError):
            problems.print(
                "[red]error:[/red] PostgreSQL at DATABASE_URL does not answer. "
                "`insights doctor` tells more."
            )
        sys.exit(1)


app = typer.Typer(
    cls=Commands,
    name="insights",
    help="The event-driven back end of ML Insights.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def assemble(**overrides: Any) -> Assembly:
    """The parts of this process, from its settings, with its logs set up."""
    settings = with_running_servers(load_settings(**overrides))
    set_up_logs(settings)
    end_with_parent()
    return Assembly(settings)
