"""`insights sandbox`: doubles of all providers, to try things out without an account."""

from typing import Annotated

import typer

from cli.app import app, console
from runtime.doubles import settings_for, templates
from runtime.embedded.discovery import environment, with_running_servers
from settings import load_settings

SHOWN = ("LOOPS_", "POSTHOG_", "SENTRY_DSN", "UPSTASH_")


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="0 takes any free port.")] = 8010,
) -> None:
    """Run doubles of Loops, PostHog, Sentry and Upstash, and show what they are sent.

    It prints the settings with which everything here talks to them. Upstash's
    double needs a Redis: that of REDIS_URL, or of a running `insights up`.
    """
    from sandbox.serve import Server

    settings = with_running_servers(load_settings())
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    server = Server(port, templates=templates(), redis_url=redis_url)
    told = environment(settings_for(settings, server.url))
    for name, value in told.items():
        if name.startswith(SHOWN) and value:
            typer.echo(f"{name}={value}")
    console.print(f"ready {server.url}")
    server.run()
