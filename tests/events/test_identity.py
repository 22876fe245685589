"""Ids: in order of time, or the same for the same parts."""

from uuid import UUID

import pytest

from events.identity import event_id, named_id, uuid7


def test_new_ids_are_uuids_of_version_7_in_order_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for millisecond in (1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000):
        monkeypatch.setattr("time.time_ns", lambda now=millisecond: now * 1_000_000)
        made.append(uuid7())

    assert made == sorted(made)
    assert {(id_.version, id_.variant) for id_ in made} == {(7, UUID(int=1 << 63).variant)}
    assert made[0].int >> 80 == 1_700_000_000_000


def test_a_named_id_depends_on_each_part() -> None:
    assert named_id("a", "bc") == named_id("a", "bc")
    assert len({named_id("a", "bc"), named_id("ab", "c"), named_id("abc")}) == 3


def test_named_ids_never_change() -> None:
    """Stored ids and idempotency keys at providers are made of them."""
    assert named_id("usage", 7) == UUID("0311e414-14ae-5585-b1e9-6c478f6f4ba3")


def test_a_foreign_uuid_is_taken_as_it_is_and_other_texts_belong_to_their_source() -> None:
    id_ = uuid7()

    assert event_id("stripe", str(id_)) == id_
    assert event_id("stripe", id_.hex) == named_id("stripe", id_.hex) != id_
    assert event_id("stripe", "evt_1") == named_id("stripe", "evt_1")
    assert event_id("stripe", "evt_1") != event_id("other", "evt_1")
