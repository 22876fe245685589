"""The contract is valid JSON Schema."""

import jsonschema_rs

from events import load_catalogue
from events.contract import json_schema


def test_the_schema_is_valid_and_says_what_the_envelope_needs() -> None:
    schema = json_schema(load_catalogue())

    jsonschema_rs.meta.validate(schema)
    signed_up = schema["$defs"]["user.signed_up"]
    assert signed_up["required"] == ["email"]
    assert signed_up["x-user-required"] is True
    assert schema["$defs"]["newsletter.subscribed"]["x-user-required"] is False
    assert "id" not in signed_up["properties"]
