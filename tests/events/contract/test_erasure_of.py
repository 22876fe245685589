"""The contract says what erasing makes of each personal field."""

from typing import Annotated

import pytest

from events import Event, load_catalogue
from events.contract import json_schema
from events.contract.schema import data_schema
from events.errors import UnerasableField
from events.event import Text, UserEvent
from events.personal import personal


def test_addresses_and_names_are_personal_in_every_event_that_has_them() -> None:
    erased = {
        type_: schema["x-erased"]
        for type_, schema in json_schema(load_catalogue())["$defs"].items()
        if schema["x-erased"]
    }

    assert erased == {
        "newsletter.subscribed": {"email": "erased@erased.invalid"},
        "user.signed_up": {"email": "erased@erased.invalid", "name": None},
        "user.updated": {"email": None, "name": None},
    }


def test_an_optional_field_with_something_personal_anywhere_in_it_is_removed() -> None:
    class Noted(UserEvent):
        type = "test.noted"

        notes: dict[str, Annotated[Text, personal()]] | None = None

    assert data_schema(Noted)["x-erased"] == {"notes": None}


class Nested(UserEvent):
    type = "test.nested"

    notes: dict[str, Annotated[Text, personal("")]]


class Unfit(UserEvent):
    type = "test.unfit"

    age: Annotated[int, personal("")]


class Reserved(UserEvent):
    type = "test.reserved"

    erased: bool


@pytest.mark.parametrize(
    ("class_", "field"), [(Nested, "notes"), (Unfit, "age"), (Reserved, "erased")]
)
def test_a_field_that_cannot_be_erased_is_refused(class_: type[Event], field: str) -> None:
    with pytest.raises(UnerasableField, match=f"'{field}' cannot be erased"):
        data_schema(class_)
