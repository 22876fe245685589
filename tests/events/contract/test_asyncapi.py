"""The AsyncAPI document has every type, with an example that fits."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from events import load_catalogue
from events.contract import asyncapi

SUBSCRIPTIONS = {"user.signed_up": ["emails", "profiles"]}


def references(node: Any) -> Iterator[str]:
    match node:
        case dict():
            for key, value in node.items():
                if key == "$ref":
                    yield value
                yield from references(value)
        case list():
            for each in node:
                yield from references(each)


def resolve(document: dict[str, Any], reference: str) -> Any:
    start, *path = reference.split("/")
    assert start == "#"
    found: Any = document
    for step in path:
        found = found[step]
    return found


def test_every_reference_of_the_asyncapi_document_resolves() -> None:
    document = asyncapi(load_catalogue(), SUBSCRIPTIONS, "1.2.3")

    found = set(references(document))

    assert len(found) > 3 * len(load_catalogue())
    assert all(resolve(document, reference) for reference in found)


def test_the_asyncapi_document_is_built_as_version_3_wants_it() -> None:
    document = asyncapi(load_catalogue(), SUBSCRIPTIONS, "1.2.3")

    assert document["asyncapi"] == "3.0.0"
    assert document["info"]["version"] == "1.2.3"
    assert document["operations"].keys() == set(load_catalogue())
    for type_, operation in document["operations"].items():
        assert operation["action"] == "receive"
        assert operation["channel"] == {"$ref": "#/channels/events"}
        assert operation["messages"] == [{"$ref": f"#/channels/events/messages/{type_}"}]
        message = resolve(document, resolve(document, operation["messages"][0]["$ref"])["$ref"])
        assert message["correlationId"] == {"location": "$message.payload#/correlationid"}
    assert document["operations"]["user.signed_up"]["x-handlers"] == ["emails", "profiles"]
    assert document["operations"]["user.deleted"]["x-handlers"] == []


@pytest.mark.parametrize("type_", load_catalogue())
def test_the_example_of_an_event_fits_the_document_and_the_code(type_: str) -> None:
    catalogue = load_catalogue()
    components = asyncapi(catalogue, {}, "1")["components"]
    example = components["messages"][type_]["examples"][0]["payload"]

    rule = {"$ref": f"#/components/schemas/{type_}", "components": components}
    jsonschema_rs.Draft202012Validator(rule, validate_formats=True).validate(example)
    catalogue[type_].model_validate(example["data"] | {"user_id": example.get("subject")})
