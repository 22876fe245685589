"""`python -m workers` is `insights`."""

from cli import app

app()
