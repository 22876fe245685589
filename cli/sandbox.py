"""The command that runs doubles of the providers, to try things out without an account."""

from typing import Annotated

import typer

from cli.app import app, console
from runtime.embedded.discovery import with_running_servers
from runtime.environment import environment
from runtime.sandbox_settings import sandbox_settings, sandbox_templates
from settings import load_settings

SHOWN_PREFIXES = ("LOOPS_", "POSTHOG_", "SENTRY_DSN", "UPSTASH_")


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="0 takes any free port.")] = 8010,
) -> None:
    """Run doubles of Loops, PostHog, Sentry and Upstash, and show what they are sent.

    It prints the settings that make everything here use them. Upstash's
    double needs a Redis: that of REDIS_URL, or of a running `insights up`.
    """
    from sandbox.server import SandboxServer

    settings = with_running_servers(load_settings())
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    server = SandboxServer(port, templates=sandbox_templates(), redis_url=redis_url)
    variables = environment(sandbox_settings(settings, server.url))
    for name, value in variables.items():
        if name.startswith(SHOWN_PREFIXES) and value:
            typer.echo(f"{name}={value}")
    console.print(f"ready {server.url}")
    server.run()
