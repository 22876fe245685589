"""`insights demo`."""

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
    serve: Annotated[bool, typer.Option("--serve", help="Stay up and say what to open.")] = False,
) -> None:
    """Train a real model on real data on own servers, and watch what follows from each event.

    Emails, analytics and errors go to doubles of their providers.
    """
    from runtime.doubles import settings_for, templates
    from sandbox.serve import running_sandbox

    settings = demo_settings()
    set_up_logs(settings)
    stopped = stop_on_signals()
    began = time.monotonic()
    console.print("Starting PostgreSQL, Valkey, doubles of the providers, a relay, two workers ...")
    with (
        running_sandbox(templates=templates()) as sandbox,
        running_stack(settings_for(settings, sandbox.url, upstash=False)) as stack,
    ):
        console.print(f"ready {stack.url} after {time.monotonic() - began:.1f} s")
        tell(stack, sandbox.url)
        console.print(f"\nAll of it took {time.monotonic() - began:.1f} s.")
        if serve:
            say_what_to_open(stack, sandbox.url)
            stopped.wait()


def demo_settings() -> Settings:
    """Own servers in a folder of the demo's own, whatever is set."""
    settings = load_settings(
        database_url=None, redis_url=None, broker_url=None, port=0, log_level="error"
    )
    own = {
        "insights_home": settings.insights_home / "demo",
        "storage_url": None,
        "extra_packages": ("cli.demo.mishap",),
        "environment": "development",
        "upstash_redis_rest_url": None,
        "upstash_redis_rest_token": None,
    }
    return settings.model_copy(update=own)


def tell(stack: Stack, sandbox_url: str) -> None:
    """Tell the story through the door of a running product."""
    from cli.demo.client import Client
    from cli.demo.providers import Doubles
    from cli.demo.story import Story

    headers = {"Authorization": f"Bearer {key_of(stack)}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=10) as http:
        client, doubles = Client(http, stack.assembly.redis), Doubles(sandbox_url)
        Story(client, doubles, stack.assembly.services.storage, console, uuid7()).tell()


def say_what_to_open(stack: Stack, sandbox_url: str) -> None:
    """Where to look around."""
    console.print(f"\nOpen {sandbox_url} (emails, contacts, people, errors and traces),")
    console.print(f"{stack.url}/docs (the door) or {stack.url}/metrics.")
    console.print(f"The key of this run: {key_of(stack)}\nCtrl-C ends it.")


def key_of(stack: Stack) -> str:
    """The key that opens the door."""
    return stack.assembly.settings.insights_api_keys[0].get_secret_value()
