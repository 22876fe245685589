"""Adds the catalogue to the OpenAPI document: each event type that may be published."""

from fastapi import FastAPI

from events import Catalogue, Event
from events.contract.schema import Schema, data_schema
from events.identity import CANONICAL_UUID
from web.cloudevents.binding import BATCHED, MAX_BATCH, STRUCTURED
from web.cloudevents.envelope import CloudEvent
from web.problems import MEDIA_TYPE, ProblemDocument

REFERENCE = "#/components/schemas/{model}"
USER = "0198c0de-0000-7000-8000-0000000000aa"
EXAMPLE = {
    "specversion": "1.0",
    "id": "upload-1842",
    "source": "/platform",
    "type": "dataset.uploaded",
    "subject": USER,
    "time": "2026-11-22T09:30:00Z",
    "data": {
        "dataset_id": "d-77",
        "filename": "churn.csv",
        "size_mb": 1.2,
        "row_count": 5000,
        "column_count": 12,
    },
}
SECOND_EXAMPLE = EXAMPLE | {
    "id": "prediction-9",
    "type": "prediction.made",
    "data": {"model_id": "m-5", "prediction_count": 3},
}
BINARY_ATTRIBUTES = ("specversion", "id", "source", "type", "subject", "time")

NO_SUBJECT: Schema = {"not": {"required": ["subject"]}}

PROBLEM: dict[int | str, Schema] = {
    "default": {
        "description": "A problem document (RFC 9457) that names what is wrong",
        "content": {
            MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model=ProblemDocument.__name__)}}
        },
    }
}


def describe_events(app: FastAPI, catalogue: Catalogue) -> None:
    """Have the app add the catalogue to its document, when that is first requested."""
    without_events = app.openapi

    def with_events() -> Schema:
        document = without_events()
        operation = document["paths"]["/events"]["post"]
        # FastAPI keeps and returns the same document each time.
        if "requestBody" not in operation:
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas |= schemas_of(catalogue)
            operation["requestBody"] = request_body()
            operation.setdefault("parameters", []).extend(binary_headers())
        return document

    app.openapi = with_events  # type: ignore[method-assign]


def schemas_of(catalogue: Catalogue) -> Schema:
    """The schemas of the problem document, of each type, and of any event."""
    document = ProblemDocument.model_json_schema(ref_template=REFERENCE)
    schemas: Schema = document.pop("$defs") | {ProblemDocument.__name__: document}
    classes = catalogue.publishable().values()
    for class_ in classes:
        schemas[f"{class_.type}.data"] = data_schema(class_)
        schemas[class_.type] = event_schema(class_)
    schemas["Event"] = {
        "oneOf": [{"$ref": REFERENCE.format(model=class_.type)} for class_ in classes],
        "discriminator": {"propertyName": "type"},
    }
    schemas["Data"] = {
        "anyOf": [{"$ref": REFERENCE.format(model=f"{class_.type}.data")} for class_ in classes]
    }
    return schemas


def event_schema(class_: type[Event]) -> Schema:
    """The schema of a CloudEvent of one type."""
    schema = CloudEvent.model_json_schema()
    data = data_schema(class_)
    fields = schema["properties"] | {
        "type": {"type": "string", "const": class_.type},
        "data": {"$ref": REFERENCE.format(model=f"{class_.type}.data")},
    }
    del fields["data_base64"]
    users = [
        attribute(name, type="string", pattern=f"^{CANONICAL_UUID.pattern}$")
        for name in ("userid", "subject")
    ]
    no_user = [] if data["x-user-required"] else [attribute("subject", type="null"), NO_SUBJECT]
    return schema | {
        "title": class_.type,
        "description": data["description"],
        "properties": fields,
        "required": [*schema["required"], *(["data"] if data["required"] else [])],
        "anyOf": [*users, *no_user],
    }


def attribute(name: str, **rule: str) -> Schema:
    """The rule that an attribute is there, in a certain form."""
    return {"required": [name], "properties": {name: rule}}


def request_body() -> Schema:
    """The three modes in which events may be sent."""
    event = {"$ref": REFERENCE.format(model="Event")}
    return {
        "required": True,
        "content": {
            STRUCTURED: {"schema": event, "example": EXAMPLE},
            BATCHED: {
                "schema": {"type": "array", "items": event, "maxItems": MAX_BATCH},
                "example": [EXAMPLE, SECOND_EXAMPLE],
            },
            "application/json": {
                "schema": {"$ref": REFERENCE.format(model="Data")},
                "example": EXAMPLE["data"],
            },
        },
    }


def binary_headers() -> list[Schema]:
    """The headers that carry the attributes when the body is the data alone."""
    return [
        {
            "name": f"ce-{name}",
            "in": "header",
            "required": False,
            "description": f"In binary mode, the attribute `{name}`, percent-encoded UTF-8.",
            "schema": {"type": "string"},
            "example": EXAMPLE[name],
        }
        for name in BINARY_ATTRIBUTES
    ]
