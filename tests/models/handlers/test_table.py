"""Handlers are registered, paused and resumed."""

from typing import Any

from sqlalchemy import Connection, text

from models.handlers import circuit_breaker
from models.handlers.table import handler_names, pause, register, resume


def row(connection: Connection, name: str) -> Any:
    query = text("SELECT paused, failures_in_row, resume_at FROM insights.handlers WHERE name = :n")
    return connection.execute(query, {"n": name}).one()


def test_registering_again_keeps_a_pause_and_the_circuit(connection: Connection) -> None:
    pause(connection, "emails")
    circuit_breaker.count_failure(connection, "emails")

    register(connection, ["emails"])

    assert row(connection, "emails") == (True, 1, None)


def test_resuming_ends_the_pause_and_closes_the_circuit(connection: Connection) -> None:
    for _ in range(circuit_breaker.FAILURES_BEFORE_OPEN):
        circuit_breaker.count_failure(connection, "emails")
    assert pause(connection, "emails")
    assert row(connection, "emails").resume_at is not None

    assert resume(connection, "emails")

    assert row(connection, "emails") == (False, 0, None)
    assert row(connection, "usage") == (False, 0, None)


def test_an_unknown_handler_can_be_neither_paused_nor_resumed(connection: Connection) -> None:
    assert not pause(connection, "no_such_handler")
    assert not resume(connection, "no_such_handler")
    assert "no_such_handler" not in handler_names(connection)


def test_handlers_are_listed_by_name(connection: Connection) -> None:
    names = handler_names(connection)

    assert names == sorted(names)
    assert {"emails", "usage"} <= set(names)
