"""Publishing from Python."""

import pytest

from events import UserLoggedIn, uuid7
from events.errors import Unstorable
from runtime.assembly import Assembly
from tests.factories import publish_now


@pytest.mark.parametrize("text", ["a\0b", "half a pair \ud800"])
def test_what_cannot_be_stored_is_refused_with_a_sentence(assembly: Assembly, text: str) -> None:
    event = UserLoggedIn.model_construct(id=uuid7(), user_id=uuid7(), method=text)

    with pytest.raises(Unstorable, match=r"user\.logged_in"):
        publish_now(assembly, event)


def test_any_other_text_comes_back_as_it_was(assembly: Assembly) -> None:
    text = 'quotes " and \\ and \\u0041, \\u0000, {braces}, NULL, 漢字, 🎉, \n'
    event = UserLoggedIn(user_id=uuid7(), method=text)

    publish_now(assembly, event)

    with assembly.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT data ->> 'method' FROM insights.events")
        assert stored.scalar() == text
