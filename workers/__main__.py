"""`python -m workers` is `insights`."""

from workers.cli import app

app()
