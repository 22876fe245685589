"""The registry of endpoints, each with the parameters that it takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sandbox.stripe.account import Account
from sandbox.stripe.objects import Object
from sandbox.stripe.schema import Node, schema_of


@dataclass
class Call:
    """One request: its parameters with their real types, and the ids in its address."""

    account: Account
    params: dict[str, Any]
    ids: dict[str, str]
    path: str

    def __getitem__(self, name: str) -> Any:
        """A parameter, None where it was not given or unset by an empty text."""
        value = self.params.get(name)
        return None if value == "" else value

    @property
    def id(self) -> str:
        return self.ids["id"]


Handler: TypeAlias = Callable[[Call], Object]


@dataclass(frozen=True)
class Endpoint:
    """`parameters` is the flat schema, which a test compares with the SDK's types."""

    method: str
    path: str
    parameters: Mapping[str, str]
    handler: Handler
    schema: Node = field(repr=False)


ENDPOINTS: list[Endpoint] = []
CREATED = {"created": "int"} | {f"created.{each}": "int" for each in ("gt", "gte", "lt", "lte")}
PAGE = {"limit": "int", "starting_after": "str", "ending_before": "str"}


def endpoint(
    method: str, path: str, parameters: Mapping[str, str] | None = None
) -> Callable[[Handler], Handler]:
    """Register the function below as the answer to a method and an address.

    What v1 answers to GET and POST can be expanded; a tombstone and v2's answers cannot.
    """
    taken = dict(parameters or {})
    if path.startswith("/v1/") and method != "DELETE":
        taken["expand[]"] = "str"

    def register(handler: Handler) -> Handler:
        ENDPOINTS.append(Endpoint(method, path, taken, handler, schema_of(taken)))
        return handler

    return register
