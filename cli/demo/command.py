"""The command that shows the product at work on private servers."""

import time
from typing import Annotated

import httpx
import typer

from cli.app import app, console
from events import uuid7
from runtime.logs import set_up_logs
from runtime.signals import stop_on_signals
from runtime.stack import Stack, running_stack
from settings import Settings, load_settings


@app.command()
def demo(
    serve: Annotated[
        bool, typer.Option("--serve", help="Stay up, and print what to open.")
    ] = False,
) -> None:
    """Train a real model on real data, and show what follows from each event.

    It runs on private servers. Emails, analytics and errors go to doubles of
    their providers. Exits with 1 if anything does not follow as it should.
    """
    from runtime.sandbox_settings import sandbox_settings, sandbox_templates
    from sandbox.server import running_sandbox

    settings = demo_settings()
    set_up_logs(settings)
    stopped = stop_on_signals()
    began = time.monotonic()
    console.print(
        "Starting PostgreSQL and Valkey, the product (web, relay, scheduler, 2 workers),\n"
        "and a sandbox in place of its providers (Loops, PostHog, Sentry) ..."
    )
    with (
        running_sandbox(templates=sandbox_templates()) as sandbox,
        running_stack(sandbox_settings(settings, sandbox.url, upstash=False)) as stack,
    ):
        console.print(f"Ready at {stack.url} after {time.monotonic() - began:.1f} s")
        run_story(stack, sandbox.url)
        console.print(f"\nAll of it took {time.monotonic() - began:.1f} s.")
        if serve:
            show_addresses(stack, sandbox.url)
            stopped.wait()


def demo_settings() -> Settings:
    """Settings with private servers in a folder of the demo's own, whatever else is set."""
    settings = load_settings(
        database_url=None, redis_url=None, broker_url=None, port=0, log_level="error"
    )
    # Sessions, cache and limits are to be in the demo's own Valkey, too.
    fixed = {
        "insights_home": settings.insights_home / "demo",
        "storage_url": None,
        "extra_packages": ("cli.demo.mishap",),
        "environment": "development",
        "upstash_redis_rest_url": None,
        "upstash_redis_rest_token": None,
    }
    return settings.model_copy(update=fixed)


def run_story(stack: Stack, sandbox_url: str) -> None:
    """Play the story on a running product. Raises DemoFailed."""
    from cli.demo.client import Client
    from cli.demo.providers import Doubles
    from cli.demo.story import Story
    from sandbox.client import SandboxClient

    headers = {"Authorization": f"Bearer {api_key(stack)}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=10) as http:
        client, doubles = Client(http, stack.assembly.redis), Doubles(SandboxClient(sandbox_url))
        Story(client, doubles, stack.assembly.services.storage, console, uuid7()).run()


def show_addresses(stack: Stack, sandbox_url: str) -> None:
    """Print what to open in a browser, and the API key."""
    console.print("\nIt stays up until Ctrl-C. Open")
    console.print(f"  {sandbox_url} to see emails, analytics, errors and traces,")
    console.print(f"  {stack.url}/docs for the HTTP API,")
    console.print(f"The API key of this run: {api_key(stack)}")
    console.print("With it, for the metrics of all processes:")
    console.print(f"  curl -H 'Authorization: Bearer {api_key(stack)}' {stack.url}/metrics")


def api_key(stack: Stack) -> str:
    return stack.assembly.settings.insights_api_keys[0].get_secret_value()
