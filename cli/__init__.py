"""The command line, `insights`. Importing a module registers its commands."""

from cli import (  # noqa: F401
    bench,
    catalogue,
    chaos,
    deliveries,
    emails,
    handlers,
    providers,
    prune,
    publish,
    replay,
    retire,
    run,
    sandbox,
)
from cli.app import app
from cli.demo import command as demo  # noqa: F401
from cli.doctor import command as doctor  # noqa: F401

__all__ = ["app"]
