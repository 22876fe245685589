"""Connections keep no prepared statements, and their errors hide what may be personal."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models.connections import connect
from runtime.assembly import Assembly


def test_no_prepared_statement_is_kept_however_often_one_runs(assembly: Assembly) -> None:
    with assembly.engine.connect() as connection:
        for number in range(20):
            connection.execute(text("SELECT CAST(:number AS integer)"), {"number": number})

        assert connection.scalars(text("SELECT name FROM pg_prepared_statements")).all() == []


def test_an_error_of_a_statement_does_not_quote_its_parameters(assembly: Assembly) -> None:
    statement = text("SELECT no_such_column, :email")
    with assembly.engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(statement, {"email": "ada@example.com"})

    assert "ada@example.com" not in str(caught.value)


def test_a_connection_says_which_process_it_belongs_to(assembly: Assembly) -> None:
    engine = connect(assembly.settings.postgres_url, name="insights relay")
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW application_name")) == "insights relay"
    engine.dispose()
