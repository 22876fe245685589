"""Tells the database what the code knows of events and handlers, and compares the two.

An older release, or code with other EXTRA_PACKAGES, may run beside this one. What the database has
and this code does not know is therefore left alone and said in a sentence.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from sqlalchemy import Connection

from events import Catalogue
from events.contract.breaking import type_changes
from events.contract.schema import Schema, data_schema
from handlers import Handler
from handlers.order import check_order
from models import event_types, providers, subscriptions
from models.event_types import EventType
from models.events import any_event
from models.handlers import table as handler_table
from models.providers import Provider
from models.server import oldest_transaction
from models.subscriptions import Subscription
from runtime.clients import PROVIDER_SETTINGS


def register(
    connection: Connection,
    catalogue: Catalogue,
    handlers: Mapping[str, Handler],
    with_key: Collection[str] = (),
) -> list[str]:
    """Add event types, handlers, subscriptions and providers of the code; say what is to be known.

    `with_key` are the providers of which this process has the key: those of them about which
    nobody has decided are switched on. Raises WrongOrder.
    """
    known = event_types.registered_types(connection)
    types = [each for each in types_of(catalogue) if not is_newer(known.get(each.type), each)]
    event_types.register(connection, types)
    handler_table.register(connection, handlers)
    added = subscriptions_of(handlers) - subscriptions.subscriptions(connection)
    after = {name: handler.after for name, handler in handlers.items()}
    subscriptions.subscribe(connection, subscriptions_of(handlers), after)
    # With what other releases have: a circle would keep events waiting for ever.
    check_order(subscriptions.order(connection))
    needed = {name: handler.provider for name, handler in handlers.items() if handler.provider}
    providers.register(connection, needed.values())
    handler_table.name_providers(connection, needed)
    new = providers.switch_on_undecided(connection, set(with_key) & set(needed.values()))
    return [
        *new_subscriptions(connection, added),
        *left_alone(connection, catalogue, handlers),
        *provider_news(connection, new, set(needed.values())),
    ]


def subscriptions_of(handlers: Mapping[str, Handler]) -> set[Subscription]:
    """The pairs of event type and handler that the code has."""
    return {(type_, name) for name, handler in handlers.items() for type_ in handler.types}


def missing(
    connection: Connection, catalogue: Catalogue, handlers: Mapping[str, Handler]
) -> list[str]:
    """What the code has and the database does not, which `insights migrate` would write."""
    known = event_types.registered_types(connection)
    types = [
        each.type
        for each in types_of(catalogue)
        if known.get(each.type) != (each.version, each.schema)
        and not is_newer(known.get(each.type), each)
    ]
    absent = subscriptions_of(handlers) - subscriptions.subscriptions(connection)
    return types + sorted(" → ".join(pair) for pair in absent)


def new_subscriptions(connection: Connection, added: set[Subscription]) -> Iterator[str]:
    """A sentence on what new subscriptions do not bring, where events were published before.

    A transaction that published before and commits afterwards looked for subscribers before.
    """
    if not added or not any_event(connection):
        return
    pairs = ", ".join(f"{name} follows {type_}" for type_, name in sorted(added))
    since = oldest_transaction(connection)
    commands = history_commands(sorted({name for _, name in added}), since)
    yield (
        f"New: {pairs}. Nothing is owed for what was published before, nor by transactions that "
        f"are open now. For the latter, once they have ended: {', '.join(commands)}; without "
        "--since, for all of the past."
    )


def left_alone(
    connection: Connection, catalogue: Catalogue, handlers: Mapping[str, Handler]
) -> Iterator[str]:
    """Sentences on what the database has and the code does not."""
    extra: dict[str, list[str]] = defaultdict(list)
    for type_, name in sorted(subscriptions.subscriptions(connection) - subscriptions_of(handlers)):
        extra[name].append(type_)
    for name, types in extra.items():
        if name in handlers:
            commands = [f"`insights handlers retire {name} --event {type_}`" for type_ in types]
            yield (
                f"Left alone: {name} follows {', '.join(types)} in the database, not in this code. "
                f"If no other release of it runs: {', '.join(commands)}."
            )
        else:
            yield (
                f"Left alone: the handler {name}, which this code does not know, follows "
                f"{', '.join(types)}. If no other release or package has it: "
                f"`insights handlers retire {name}`."
            )
    for provider in providers.providers(connection):
        for name in provider.handlers:
            if name in handlers and handlers[name].provider is None:
                yield (
                    f"Left alone: {name} is a handler of {provider.name} in the database, not in "
                    f"this code. While {provider.name} is off, nothing is owed to it."
                )
    known = event_types.registered_types(connection)
    newer = [each.type for each in types_of(catalogue) if is_newer(known.get(each.type), each)]
    if newer:
        yield f"Left alone: {', '.join(newer)}, of which the database knows a newer version."


def types_of(catalogue: Catalogue) -> list[EventType]:
    """The event types of the code, as the database is to know them."""
    classes = [catalogue[name] for name in catalogue]
    return [EventType(each.type, each.version, data_schema(each)) for each in classes]


def is_newer(known: tuple[int, Schema] | None, ours: EventType) -> bool:
    """Whether the database has a type as a newer release has it.

    Its version is higher. Or it accepts more, which raises no version: a field more, or a longer
    text. Or it keeps or erases more: forgetting that would prune what is to stay, or leave behind
    what is personal. A type with more of one thing and less of another is of other code, not newer.
    """
    if known is None:
        return False
    version, schema = known
    if version != ours.version:
        return version > ours.version
    return has_more(schema, ours.schema) and not has_more(ours.schema, schema)


def has_more(schema: Schema, other: Schema) -> bool:
    """Whether a type's schema accepts, keeps or erases anything that another of it does not."""
    erased, other_erased = (each.get("x-erased", {}).keys() for each in (schema, other))
    is_kept = schema.get("x-kept", False) and not other.get("x-kept", False)
    return is_kept or bool(erased - other_erased) or any(type_changes(schema, other))


def provider_news(
    connection: Connection, switched_on: Collection[str], needed: Collection[str]
) -> Iterator[str]:
    """Sentences on providers that were just switched on, and on those that wait for a decision."""
    for each in providers.providers(connection):
        if each.name in switched_on:
            yield switched_on_sentence(each, with_history=any_event(connection))
        elif each.is_on is None and each.name in needed:
            setting = PROVIDER_SETTINGS[each.name].upper()
            yield (
                f"{each.name} is undecided and so off: nothing is owed to "
                f"{', '.join(each.handlers)}. A worker or `insights migrate` with {setting} "
                f"switches it on, and so does `insights providers on {each.name}`."
            )


def switched_on_sentence(provider: Provider, *, with_history: bool) -> str:
    """That a provider is on, and how its handlers are given what happened before."""
    sentence = f"{provider.name} is on: events are owed to {', '.join(provider.handlers)}."
    if not with_history:
        return sentence
    commands = ", ".join(history_commands(provider.handlers))
    return f"{sentence} What happened while it was off is not; if that is wanted: {commands}."


def history_commands(handlers: Iterable[str], since: datetime | None = None) -> list[str]:
    """The commands that give these handlers past events."""
    option = f" --since {since.isoformat()}" if since else ""
    return [f"`insights replay --handler {name} --history{option}`" for name in handlers]
