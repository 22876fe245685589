"""The command line, `insights`."""

from workers.cli.app import app
from workers.cli import run as _run

__all__ = ["app"]
