"""Handlers are found wherever they are, and each name stands for one."""

import itertools
from datetime import timedelta
from pathlib import Path

import pytest

from events import Event, InactivityDue, TrainingFailed, TrainingRequested
from handlers import DuplicateHandler, Kind, external, load_handlers, transactional
from services import Services

HANDLER = """
from events import UserDeleted
from handlers import external

@external("{name}", UserDeleted)
def follow(event, services, key):
    pass
"""
numbers = itertools.count()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package that can be imported by its folder's name."""
    folder = tmp_path / f"more_handlers_{next(numbers)}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_a_handler_in_a_package_of_a_package_is_found(package: Path) -> None:
    inner = package / "subject" / "reaction"
    inner.mkdir(parents=True)
    (package / "subject" / "__init__.py").touch()
    (inner / "__init__.py").touch()
    (inner / "handler.py").write_text(HANDLER.format(name="deep"))

    found = load_handlers(package.name)

    assert found.keys() - load_handlers().keys() == {"deep"}


def test_our_own_handlers_are_found_in_modules_and_packages() -> None:
    found = load_handlers()

    assert {"usage", "emails", "emails_awaited", "contacts", "analytics"} <= found.keys()
    assert list(found) == sorted(found)


def test_a_handler_that_a_second_module_imports_is_no_duplicate(package: Path) -> None:
    (package / "first.py").write_text(HANDLER.format(name="imported"))
    (package / "second.py").write_text(f"from {package.name}.first import follow")

    assert "imported" in load_handlers(package.name)


def test_two_handlers_of_one_name_are_refused(package: Path) -> None:
    (package / "first.py").write_text(HANDLER.format(name="same"))
    (package / "second.py").write_text(HANDLER.format(name="same"))

    with pytest.raises(DuplicateHandler, match="'same'"):
        load_handlers(package.name)


def test_the_options_of_a_handler_have_defaults_and_can_be_set() -> None:
    def failed(event: Event) -> Event:
        return event.follow(TrainingFailed, training_id="t-1", reason="It failed.")

    @external("plain", TrainingRequested)
    def plain(event: TrainingRequested, services: Services, key: str) -> None: ...

    @external("keen", TrainingRequested, concurrency=1, max_attempts=3, on_death=failed)
    def keen(event: TrainingRequested, services: Services, key: str) -> None: ...

    assert plain.kind is Kind.EXTERNAL
    assert (plain.batch, plain.concurrency, plain.max_attempts) == (1, 2, 10)
    assert (plain.lease, plain.on_death) == (timedelta(seconds=30), None)
    assert (keen.concurrency, keen.max_attempts, keen.on_death) == (1, 3, failed)
    assert keen.types == {"training.requested": TrainingRequested}


def test_a_function_gets_a_batch_or_a_single_event() -> None:
    @transactional("single", InactivityDue)
    def single(event: object, _session: object) -> None:
        seen.append(event)

    @transactional("many", InactivityDue, batch=2)
    def many(events: object, _session: object) -> None:
        seen.append(events)

    seen: list[object] = []
    event = InactivityDue(days=14)
    single([event], None)
    many([event], None)

    assert seen == [event, [event]]
