"""What a worker does about providers: it works for those of which it has the key, and says so."""

import threading
from collections.abc import Collection, Iterable

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from errors import InsightsError
from handlers import Handler
from models import providers
from models.transactions import in_transaction
from runtime.assembly import Assembly
from runtime.clients import PROVIDER_SETTINGS
from runtime.registration import history_commands

log = structlog.get_logger()
WAIT_AFTER_FAILURE = 5.0  # seconds, while the database is away or not migrated yet


class NoHandler(InsightsError):
    """Raised when a worker has the key of none of its handlers."""


def with_key(handlers: Iterable[Handler], keys: Collection[str]) -> list[Handler]:
    """Those of the handlers that need no key, or one that is here; the others are logged.

    A worker takes no delivery that it could not do: it waits for a worker with the key.
    Raises NoHandler.
    """
    every = list(handlers)
    mine = [each for each in every if each.provider is None or each.provider in keys]
    left = [each for each in every if each not in mine]
    settings = sorted({PROVIDER_SETTINGS[each.provider].upper() for each in left if each.provider})
    if not mine:
        unset, waiting = ", ".join(settings), ", ".join(each.name for each in left)
        raise NoHandler(f"This worker has nothing to do: {waiting} need {unset}, which is not set.")
    if left:
        hint = "Their deliveries are left to workers with these keys."
        names = [each.name for each in left]
        log.info("handlers_without_key", handlers=names, missing=settings, hint=hint)
    return mine


def switch_on_in_background(assembly: Assembly, stopped: threading.Event) -> None:
    """Switch on the providers of which this process has the key, where nobody has decided.

    In a thread, since a worker starts while the database is away, too.
    """
    needed = {each.provider for each in assembly.handlers.values() if each.provider}
    keys = assembly.providers & needed
    if keys:
        threading.Thread(target=switch_on, args=(assembly, keys, stopped), daemon=True).start()


def switch_on(assembly: Assembly, keys: Collection[str], stopped: threading.Event) -> None:
    """Switch undecided providers on, again and again until the database takes it."""
    while not stopped.is_set():
        try:
            new = in_transaction(
                assembly.sessions, lambda session: providers.switch_on_undecided(session, keys)
            )
        except (DBAPIError, PoolTimeout) as error:
            log.warning("providers_not_switched_on", error=type(error).__name__)
            stopped.wait(WAIT_AFTER_FAILURE)
            continue
        if new:
            theirs = [each.name for each in assembly.handlers.values() if each.provider in new]
            hint = f"For what happened before: {', '.join(history_commands(theirs))}."
            log.info("providers_switched_on", providers=sorted(new), hint=hint)
        return
