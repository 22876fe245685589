"""`python -m cli` is `insights`."""

from cli import app

app()
