"""The catalogue as an AsyncAPI document: what the HTTP API accepts, and who handles it."""

from collections.abc import Mapping, Sequence

from events.contract.examples import example_of
from events.contract.schema import Schema, data_schema, inlined
from events.event import Event
from events.identity import named_id

CLOUDEVENTS = "application/cloudevents+json"
WIRE = {
    "source": "source",
    "time": "occurred_at",
    "userid": "user_id",
    "correlationid": "correlation_id",
    "causationid": "causation_id",
    "traceparent": "traceparent",
}
"""Name of a CloudEvents attribute → name of the event's field."""


def asyncapi(
    catalogue: Mapping[str, type[Event]],
    subscriptions: Mapping[str, Sequence[str]],
    version: str,
) -> Schema:
    """An AsyncAPI 3.0.0 document; `subscriptions` maps a type to the handlers that follow it.

    It describes the side of the HTTP API, which receives each event as a CloudEvent 1.0.
    """
    types = sorted(catalogue)
    schemas = {type_: data_schema(catalogue[type_]) for type_ in types}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Insights Workers",
            "version": version,
            "description": "Publish an event once; every effect in our database follows exactly "
            "once, every effect at a provider at least once, with an idempotency key.",
        },
        "defaultContentType": CLOUDEVENTS,
        "servers": {
            "api": {
                "host": "localhost:8000",
                "protocol": "http",
                "security": [{"$ref": "#/components/securitySchemes/key"}],
            }
        },
        "channels": {
            "events": {
                "address": "/events",
                "messages": {type_: ref("components/messages", type_) for type_ in types},
            }
        },
        "operations": {
            type_: operation(type_, schemas[type_], subscriptions.get(type_, ())) for type_ in types
        },
        "components": {
            "messages": {type_: message(type_, schemas[type_]) for type_ in types},
            "schemas": {"envelope": envelope()}
            | {type_: payload(type_, schemas[type_]) for type_ in types},
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "One of INSIGHTS_API_KEYS.",
                }
            },
        },
    }


def ref(place: str, name: str) -> dict[str, str]:
    """A reference to a place in the document."""
    return {"$ref": f"#/{place}/{name}"}


def operation(type_: str, schema: Schema, handlers: Sequence[str]) -> Schema:
    """The HTTP API receives an event of one type."""
    return {
        "action": "receive",
        "channel": ref("channels", "events"),
        "title": schema["title"],
        "summary": schema["description"].split("\n\n")[0],
        "messages": [ref("channels/events/messages", type_)],
        "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
        "x-handlers": list(handlers),
    }


def message(type_: str, schema: Schema) -> Schema:
    """What an event of one type looks like, with an example."""
    return {
        "name": type_,
        "title": schema["title"],
        "summary": schema["description"].split("\n\n")[0],
        "contentType": CLOUDEVENTS,
        "correlationId": {"location": "$message.payload#/correlationid"},
        "tags": [{"name": type_.partition(".")[0]}],
        "payload": ref("components/schemas", type_),
        "examples": [{"name": "example", "payload": example(type_, schema)}],
        "x-version": schema["x-version"],
    }


def envelope() -> Schema:
    """The attributes that every CloudEvent may have here."""
    fields = inlined(Event.model_json_schema()["properties"], {})
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {
                "type": "string",
                "minLength": 1,
                "description": "A UUID, or a text that identifies the fact together with `source`.",
            },
            "type": {"type": "string"},
            "subject": {
                "type": "string",
                "description": "The user's UUID, unless it is in `userid`.",
            },
            "datacontenttype": {"const": "application/json"},
        }
        | {name: attribute(fields[field]) for name, field in WIRE.items()},
    }


def attribute(rule: Schema) -> Schema:
    """The rule of an attribute, which is either there or not, but never null."""
    rule = rule.get("anyOf", [rule])[0]
    return {key: value for key, value in rule.items() if key != "default"}


def payload(type_: str, schema: Schema) -> Schema:
    """The envelope with the data of one type."""
    rule = {key: value for key, value in schema.items() if not key.startswith("x-")}
    rules: Schema = {"required": ["data"], "properties": {"type": {"const": type_}, "data": rule}}
    if schema["x-user-required"]:
        subject = {"required": ["subject"], "properties": {"subject": {"format": "uuid"}}}
        # Either attribute may name the user.
        rules |= {"anyOf": [subject, {"required": ["userid"]}]}
    return {"allOf": [ref("components/schemas", "envelope"), rules]}


def example(type_: str, schema: Schema) -> Schema:
    """An event of one type as it goes over the wire."""
    user = {"subject": str(named_id("user"))} if schema["x-user-required"] else {}
    return {
        "specversion": "1.0",
        "id": str(named_id("event", type_)),
        "source": "https://example.com/app",
        "type": type_,
        "time": "2026-01-31T12:00:00Z",
        "datacontenttype": "application/json",
        **user,
        "correlationid": str(named_id("correlation")),
        "data": example_of(schema),
    }
