"""`insights catalogue`."""

import json
from pathlib import Path

import pytest

from cli import catalogue as module
from events import load_catalogue
from events.contract import json_schema, read_released
from events.contract.released import RELEASED
from tests.cli.conftest import Insights, flat


def test_the_catalogue_is_a_table_of_types_fields_and_handlers(insights: Insights) -> None:
    lines = insights("catalogue").stdout.splitlines()

    (signed_up,) = [line for line in lines if line.startswith("user.signed_up")]
    assert signed_up.split()[1:4] == ["1", "email,", "name?"]
    assert "profiles" in signed_up


def test_the_catalogue_is_the_same_as_json(insights: Insights) -> None:
    entries = {each["type"]: each for each in json.loads(insights("catalogue", "--json").stdout)}

    assert entries.keys() == set(load_catalogue())
    assert entries["user.signed_up"]["fields"]["email"]["required"] is True
    assert entries["user.signed_up"]["fields"]["name"]["required"] is False
    assert entries["prediction.made"]["user_required"] is True
    assert "usage" in entries["prediction.made"]["handlers"]


def test_the_catalogue_is_exported_as_json_schema(insights: Insights) -> None:
    exported = json.loads(insights("catalogue", "--json-schema").stdout)

    assert exported == json_schema(load_catalogue())


def test_the_asyncapi_document_has_what_the_api_accepts_and_which_handlers_follow(
    insights: Insights,
) -> None:
    operations = json.loads(insights("catalogue", "--asyncapi").stdout)["operations"]

    assert "usage" in operations["prediction.made"]["x-handlers"]
    assert "usage.threshold_reached" not in operations
    assert "prune.due" not in operations


def test_one_form_at_a_time(insights: Insights) -> None:
    result = insights("catalogue", "--json", "--asyncapi")

    assert result.exit_code == 1
    assert "exclude each other" in flat(result.stderr)


def test_a_release_writes_the_contract(insights: Insights, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[object] = []
    monkeypatch.setattr(module, "write_released", written.append)

    result = insights("catalogue", "--release")

    assert result.exit_code == 0
    assert written == [json_schema(load_catalogue())]


def test_a_release_that_would_break_publishers_is_refused(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = read_released()
    old["$defs"]["user.signed_up"]["properties"]["nickname"] = {"type": "string"}
    monkeypatch.setattr(module, "read_released", lambda: old)
    before = Path(RELEASED).read_bytes()

    result = insights("catalogue", "--release")

    assert result.exit_code == 1
    assert "user.signed_up: the field 'nickname' was removed." in flat(result.stderr)
    assert "Raise the `version`" in flat(result.stderr)
    assert Path(RELEASED).read_bytes() == before
