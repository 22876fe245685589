"""Which changes of a contract break publishers."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from events import Event, UserEvent
from events.contract import breaking_changes, json_schema

TYPE = "tested.happened"
REQUIRED: Any = ...


class Place(BaseModel):
    town: str


class NarrowPlace(BaseModel):
    town: Annotated[str, Field(max_length=10)]


class Tree(BaseModel):
    branches: "list[Tree]"


def contract(base: type[Event] = Event, version: int = 1, **fields: Any) -> dict[str, Any]:
    """The contract of a catalogue with one type."""
    class_ = create_model("Tested", __base__=base, **fields)
    class_.type, class_.version = TYPE, version
    return json_schema({TYPE: class_})


def field(annotation: Any, default: Any = REQUIRED) -> dict[str, Any]:
    return contract(it=(annotation, default))


BREAKS = {
    "a field was removed": (
        field(str), contract(), "the field 'it' was removed.",
    ),
    "a field became required": (
        field(str, "x"), field(str), "the field 'it' became required.",
    ),
    "a required field is new": (
        contract(), field(str), "the field 'it' is new and required.",
    ),
    "a value is gone": (
        field(Literal["a", "b"]), field(Literal["a"]), "the field 'it' no longer takes \"b\".",
    ),
    "values are listed now": (
        field(str), field(Literal["a", "b"]), "the field 'it' takes only \"a\", \"b\".",
    ),
    "the maximum is lower": (
        field(Annotated[int, Field(le=9)]), field(Annotated[int, Field(le=8)]),
        "the maximum of the field 'it' was lowered.",
    ),
    "the maximum itself is excluded": (
        field(Annotated[float, Field(le=9)]), field(Annotated[float, Field(lt=9)]),
        "the maximum of the field 'it' was lowered.",
    ),
    "the minimum is higher": (
        field(Annotated[int, Field(ge=0)]), field(Annotated[int, Field(gt=0)]),
        "the minimum of the field 'it' was raised.",
    ),
    "a text must be shorter": (
        field(str), field(Annotated[str, Field(max_length=5)]),
        "the maxLength of the field 'it' was lowered.",
    ),
    "a text must be longer": (
        field(str), field(Annotated[str, Field(min_length=1)]),
        "the minLength of the field 'it' was raised.",
    ),
    "the pattern is another": (
        field(Annotated[str, Field(pattern="a")]), field(Annotated[str, Field(pattern="b")]),
        "the pattern of the field 'it' changed.",
    ),
    "there is a pattern now": (
        field(str), field(Annotated[str, Field(pattern="b")]),
        "the pattern of the field 'it' changed.",
    ),
    "the type is another": (
        field(str), field(int), "the field 'it' was string and is now integer.",
    ),
    "numbers must be whole now": (
        field(float), field(int), "the field 'it' was number and is now integer.",
    ),
    "anything became something": (
        field(Any), field(str), "the field 'it' was anything and is now string.",
    ),
    "null is not allowed any more": (
        field(str | None), field(str), "the field 'it' may no longer be null.",
    ),
    "an alternative is narrower": (
        field(str | None), field(Annotated[str, Field(max_length=5)] | None),
        "the maxLength of the field 'it' was lowered.",
    ),
    "a field of a field is narrower": (
        field(Place), field(NarrowPlace), "the maxLength of the field 'it.town' was lowered.",
    ),
    "an item is narrower": (
        field(list[str]), field(list[Literal["a"]]), "the field 'it[]' takes only \"a\".",
    ),
    "the values of a mapping are narrower": (
        field(dict[str, Any]), field(dict[str, int]),
        "the field 'it.*' was anything and is now integer.",
    ),
    "the user became required": (
        contract(Event), contract(UserEvent), "user_id became required.",
    ),
    "the type was removed": (contract(), json_schema({}), "the type was removed."),
    "the version went back": (
        contract(version=2), contract(version=1), "its version went back from 2 to 1.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "sentence"), BREAKS.values(), ids=BREAKS.keys())
def test_a_break_is_found_and_named(
    old: dict[str, Any], new: dict[str, Any], sentence: str
) -> None:
    assert breaking_changes(old, new) == [f"{TYPE}: {sentence}"]


HARMLESS = {
    "nothing changed": (field(str), field(str)),
    "an optional field is new": (contract(), field(str | None, None)),
    "a field became optional": (field(str), field(str, "x")),
    "null is allowed now": (field(str), field(str | None)),
    "a value is new": (field(Literal["a"]), field(Literal["a", "b"])),
    "values are not listed any more": (field(Literal["a", "b"]), field(str)),
    "the maximum is higher": (
        field(Annotated[int, Field(le=8)]), field(Annotated[int, Field(le=9)]),
    ),
    "the same minimum in other words": (
        field(Annotated[int, Field(gt=0)]), field(Annotated[int, Field(ge=1)]),
    ),
    "a pattern is gone": (field(Annotated[str, Field(pattern="a")]), field(str)),
    "numbers need not be whole": (field(int), field(float)),
    "it is described otherwise": (
        field(Annotated[int, Field(description="a")]),
        field(Annotated[int, Field(description="b")]),
    ),
    "the user is optional now": (contract(UserEvent), contract(Event)),
    "a type is new": (json_schema({}), contract()),
    "a type of trees is the same": (field(Tree), field(Tree)),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new"), HARMLESS.values(), ids=HARMLESS.keys())
def test_what_takes_nothing_away_breaks_nothing(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert breaking_changes(old, new) == []


def test_a_new_version_may_change_as_it_likes() -> None:
    new = contract(UserEvent, version=2, other=(int, REQUIRED))

    assert breaking_changes(field(str), new) == []
