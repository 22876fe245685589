"""The OpenAPI document is true: schemathesis requests what it promises."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema_rs import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.testclient import TestClient

from events import load_catalogue
from runtime.assembly import Assembly
from runtime.web import make_app
from tests.web.requests import KEY, STRUCTURED, cloud_event
from web.openapi import USER

WITHOUT_PARAMETERS = ("/healthz", "/readyz", "/metrics")
WITH_A_KEY = {
    ("POST", "/events"),
    ("GET", "/events/{event_id}"),
    ("GET", "/trainings/{training_id}/progress"),
    ("GET", "/trainings/{training_id}/progress/stream"),
    ("GET", "/users/{user_id}/usage"),
    ("GET", "/metrics"),
}
WITHOUT_A_KEY = {("POST", "/newsletter"), ("GET", "/healthz"), ("GET", "/readyz")}
OPERATIONS = sorted(WITH_A_KEY | WITHOUT_A_KEY)


@pytest.fixture(scope="module")
def contract(shared: Assembly) -> Any:
    unlimited = shared.settings.model_copy(update={"rate_limit": 1_000_000})
    return schemathesis.openapi.from_asgi("/openapi.json", make_app(unlimited))


@pytest.fixture(scope="module")
def document(shared_client: TestClient) -> Any:
    return shared_client.get("/openapi.json").json()


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_the_api_does_what_its_document_says(
    contract: Any, method: str, path: str, mode: GenerationMode
) -> None:
    if mode.is_negative and path in WITHOUT_PARAMETERS:
        return
    # A schema cannot say that data belong to the type which a header names.
    beyond_schemas = [positive_data_acceptance] if method == "POST" else []

    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=contract[path][method].as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(headers=KEY, excluded_checks=beyond_schemas)

    ask()


def test_it_describes_every_operation_and_which_need_a_key(document: Any) -> None:
    operations = {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }

    assert sorted(operations) == OPERATIONS
    assert {name for name, each in operations.items() if "security" in each} == WITH_A_KEY
    assert all(each["summary"] and each["description"] for each in operations.values())
    assert document["components"]["securitySchemes"]["API key"]["scheme"] == "bearer"


def test_its_examples_are_accepted(shared_client: TestClient, document: Any) -> None:
    operation = document["paths"]["/events"]["post"]
    attributes = {each["name"]: each["example"] for each in operation["parameters"]}

    for kind, content in operation["requestBody"]["content"].items():
        headers = {"Content-Type": kind} | (attributes if kind == "application/json" else {})
        answer = shared_client.post("/events", json=content["example"], headers=headers)
        assert answer.status_code == 202, answer.text


def test_it_describes_each_type_that_may_be_published(document: Any) -> None:
    internal = {
        "inactivity.due",
        "prune.due",
        "usage.limit_exceeded",
        "usage.threshold_reached",
        "user.erased",
        "user.inactive",
    }

    described = {each["$ref"].rsplit("/", 1)[1] for each in event_of(document)["oneOf"]}

    assert described == set(load_catalogue()) - internal


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"userid": USER, "subject": "models/m-1"}, True),
        ({"subject": "models/m-1"}, False),
        ({"subject": None}, False),
        ({"datacontenttype": "text/plain"}, False),
        ({"specversion": "0.3"}, False),
        ({"data": {}}, False),
        ({"data": {"model_id": "m", "more": 1}}, False),
        ({"type": "unknown"}, False),
        ({"anything": [1]}, True),
        ({"type": "newsletter.subscribed", "subject": None, "data": {"email": "a@b.co"}}, True),
    ],
)
def test_its_schema_and_the_api_agree(
    shared_client: TestClient, document: Any, change: dict[str, Any], fits: bool
) -> None:
    event = cloud_event(USER, id=f"agree-{change}", **change)
    schema = {"$ref": "#/components/schemas/Event", "components": document["components"]}

    assert Draft202012Validator(schema).is_valid(event) is fits
    answer = shared_client.post("/events", json=event, headers=STRUCTURED)
    assert answer.status_code == (202 if fits else 422)


def event_of(document: Any) -> Any:
    return document["components"]["schemas"]["Event"]
