"""The application that all commands belong to, and how their errors are shown."""

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
from runtime.supervisor import end_with_supervisor
from settings import load_settings

console = Console()
problems = Console(stderr=True)


class WrongInput(InsightsError):
    """Raised when an argument or option makes no sense; the message says why and what would."""


class DatabaseRefused(InsightsError):
    """Raised when PostgreSQL answers with an error; the message says which."""


class Commands(typer.core.TyperGroup):
    """Shows expected errors as one sentence on stderr, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; exit with 1 after an expected error."""
        try:
            return super().invoke(ctx)
        except InsightsError as error:
            problems.print(
                f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True
            )
        # Migrations give up a lock soon, since every query of others would queue behind them.
        except psycopg.errors.LockNotAvailable:
            problems.print(
                "[red]error:[/red] A table was locked for too long, and nothing was changed. "
                "Try again when long transactions have ended."
            )
        except (OperationalError, InterfaceError):
            problems.print(
                "[red]error:[/red] PostgreSQL at DATABASE_URL does not answer. "
                "`insights doctor` says more."
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
    """Make the parts of this process and set up its logs. Raises WrongSetting."""
    settings = with_running_servers(load_settings(**overrides))
    set_up_logs(settings)
    end_with_supervisor()
    return Assembly(settings)
