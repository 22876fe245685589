"""The catalogue finds every type once, in packages of any depth."""

import sys
from pathlib import Path

import pytest

from events import Event, PredictionMade, load_catalogue
from events.catalogue import Catalogue
from events.errors import DuplicateEvent, UnknownEvent

MODULE = """
from events import UserEvent, UserSignedUp

class Flew(UserEvent):
    type = "user.flew"
"""


def test_types_of_further_packages_are_found_at_any_depth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "extra_types" / "inner"
    inner.mkdir(parents=True)
    (inner.parent / "__init__.py").touch()
    (inner / "__init__.py").touch()
    (inner / "flights.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)

    catalogue = load_catalogue("extra_types")

    for name in [name for name in sys.modules if name.startswith("extra_types")]:
        monkeypatch.delitem(sys.modules, name)
    assert set(catalogue) - set(load_catalogue()) == {"user.flew"}
    assert list(catalogue) == sorted(catalogue)


def test_two_classes_of_one_type_are_refused() -> None:
    class Other(Event):
        type = "prediction.made"

    with pytest.raises(DuplicateEvent, match="PredictionMade and Other are both"):
        Catalogue(iter([PredictionMade, Other]))


def test_an_unknown_type_is_named() -> None:
    catalogue = load_catalogue()

    assert "user.flew" not in catalogue
    with pytest.raises(UnknownEvent, match=r"No event is called 'user\.flew'"):
        catalogue["user.flew"]


def test_internal_types_are_not_publishable() -> None:
    publishable = load_catalogue().publishable()

    assert publishable["prediction.made"] is PredictionMade
    assert {"prune.due", "user.inactive"} <= set(load_catalogue()) - set(publishable)
