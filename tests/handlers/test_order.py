"""`after=`: an order that cannot be kept is refused at load, with a sentence."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from handlers import load_handlers
from handlers.order import WrongOrder

HANDLER = """
from events import UserDeleted
from handlers import {kind}

@{kind}("{name}", UserDeleted, after={after})
def follow(*given):
    pass
"""
numbers = itertools.count()
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a package with a handler per keyword, which comes after those given; its name."""

    def package(kind: str = "external", **after: tuple[str, ...]) -> str:
        folder = tmp_path / f"ordered_handlers_{next(numbers)}"
        folder.mkdir()
        (folder / "__init__.py").touch()
        for name, others in after.items():
            code = HANDLER.format(kind=kind, name=name, after=others)
            (folder / f"{name}.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        return folder.name

    return package


@pytest.mark.parametrize("kind", ["external", "transactional"])
def test_handlers_come_after_ours_and_each_other(kind: str, write: Write) -> None:
    found = load_handlers(write(kind, late=("profiles", "later"), later=("usage",)))

    assert found["late"].after == ("profiles", "later")
    assert found["later"].after == ("usage",)


def test_the_order_of_our_own_handlers_can_be_kept() -> None:
    found = load_handlers()

    assert {name for name, handler in found.items() if handler.after} >= {"cache", "contacts"}


def test_a_circle_is_refused_and_shown(write: Write) -> None:
    package = write(hen=("egg",), egg=("chick",), chick=("hen",))

    with pytest.raises(WrongOrder) as refused:
        load_handlers(package)

    sentence = str(refused.value)
    assert "wait for each other in a circle" in sentence
    assert sentence.count(" → ") == 3
    assert {"hen", "egg", "chick"} <= set(sentence.replace(".", " ").split())
    assert "Take one `after=` away." in sentence


def test_a_handler_that_comes_after_itself_is_refused(write: Write) -> None:
    with pytest.raises(WrongOrder, match="circle: ouroboros → ouroboros"):
        load_handlers(write(ouroboros=("ouroboros",)))


def test_an_unknown_name_is_refused_with_those_that_there_are(write: Write) -> None:
    with pytest.raises(WrongOrder) as refused:
        load_handlers(write(late=("profile",)))

    assert "'late' is to come after 'profile', which is no handler." in str(refused.value)
    assert "profiles" in str(refused.value)
