"""The application that all commands belong to, and how their errors are shown."""

import sys
from collections.abc import Mapping
from typing import Any

import psycopg
import typer
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from errors import InsightsError
from models.database_errors import Trouble, trouble_of
from runtime.assembly import Assembly
from runtime.embedded.discovery import with_running_servers
from runtime.logs import set_up_logs
from runtime.supervisor import end_with_supervisor
from settings import load_settings

console = Console()
problems = Console(stderr=True)

LOCKED = (
    "A row or table was locked for too long, and nothing was changed. "
    "Try again when long transactions have ended."
)
SENTENCES: Mapping[Trouble | None, str] = {
    Trouble.AWAY: "PostgreSQL at DATABASE_URL does not answer, or takes no writes now. "
    "`insights doctor` says more.",
    Trouble.CONFLICT: LOCKED,
    Trouble.ENDED: "PostgreSQL ended the session, since it stood idle in a transaction for too "
    "long. Nothing was changed: try again.",
}


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
            problems.print(f"[red]error:[/red] {LOCKED}")
        except (DBAPIError, PoolTimeout) as error:
            sentence = SENTENCES.get(trouble_of(error))
            if sentence is None:
                raise
            problems.print(f"[red]error:[/red] {sentence}")
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
