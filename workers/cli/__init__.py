"""The command line, `insights`: importing a module registers its commands."""

from workers.cli import (  # noqa: F401
    bench,
    catalogue,
    chaos,
    deliveries,
    demo,
    doctor,
    emails,
    handlers,
    operate,
    publish,
    replay,
    run,
    sandbox,
)
from workers.cli.app import app

__all__ = ["app"]
