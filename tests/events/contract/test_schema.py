"""The contract is valid JSON Schema; the code keeps the released one, read as it was written."""

from pathlib import Path

import jsonschema_rs

from events import UserSignedUp, load_catalogue
from events.contract import breaking_changes, json_schema, read_released, write_released


def test_the_code_keeps_the_released_contract() -> None:
    """If this fails, raise the `version` of the types that it names, or change them otherwise."""
    assert breaking_changes(read_released(), json_schema(load_catalogue())) == []


def test_there_is_a_released_contract_to_keep() -> None:
    assert "user.signed_up" in read_released()["$defs"]


def test_a_released_contract_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "released.json"
    contract = json_schema({UserSignedUp.type: UserSignedUp})

    assert read_released(path)["$defs"] == {}
    write_released(contract, path)
    assert read_released(path) == contract


def test_the_schema_is_valid_and_says_what_the_envelope_needs() -> None:
    schema = json_schema(load_catalogue())

    jsonschema_rs.meta.validate(schema)
    signed_up = schema["$defs"]["user.signed_up"]
    assert signed_up["required"] == ["email"]
    assert signed_up["x-user-required"] is True
    assert schema["$defs"]["newsletter.subscribed"]["x-user-required"] is False
    assert "id" not in signed_up["properties"]
