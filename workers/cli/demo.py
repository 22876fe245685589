"""`insights demo`."""

import time
from typing import Annotated

import httpx
import typer

from events import uuid7
from settings import load_settings
from workers.cli.app import app, console
from workers.logs import set_up_logs
from workers.stack import Stack, running_stack
from workers.worker import stop_event


@app.command()
def demo(
    serve: Annotated[bool, typer.Option("--serve", help="Stay up and say what to open.")] = False,
) -> None:
    """Train a real model on real data on own servers, and watch what follows from each event."""
    settings = load_settings(
        database_url=None, redis_url=None, broker_url=None, port=0, log_level="error"
    )
    home = settings.insights_home / "demo"
    settings = settings.model_copy(update={"insights_home": home, "storage_url": None})
    set_up_logs(settings)
    stopped = stop_event()
    began = time.monotonic()
    console.print("Starting PostgreSQL, Valkey, the door, a relay and two workers ...")
    with running_stack(settings) as stack:
        console.print(f"ready {stack.url} after {time.monotonic() - began:.1f} s")
        tell(stack)
        console.print(f"\nAll of it took {time.monotonic() - began:.1f} s.")
        if serve:
            console.print(f"\nOpen {stack.url}/docs (the door) or {stack.url}/metrics.")
            key = stack.assembly.settings.insights_api_keys[0].get_secret_value()
            console.print(f"The key of this run: {key}\nCtrl-C ends it.")
            stopped.wait()


def tell(stack: Stack) -> None:
    """Tell the story through the door of a running product."""
    from workers.demo.client import Client
    from workers.demo.story import Story

    key = stack.assembly.settings.insights_api_keys[0].get_secret_value()
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=10) as http:
        client = Client(http, stack.assembly.redis)
        Story(client, stack.assembly.services.storage, console, uuid7()).tell()
