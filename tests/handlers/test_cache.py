"""Cached entries are deleted once what they cache has changed in the database."""

from uuid import UUID

from events import UserUpdated
from handlers.cache import invalidate
from handlers.usage import count_usage
from tests.factories import dataset_uploaded, publish_now, sign_up
from tests.pipeline import Pipeline


def test_entries_are_deleted_when_their_events_are_handled(
    pipeline_with_doubles: Pipeline, user_id: UUID
) -> None:
    cache = pipeline_with_doubles.assembly.services.cache
    other = sign_up(pipeline_with_doubles.assembly)
    pipeline_with_doubles.follow(invalidate)
    stale = ["dataset:d-1", f"usage:{user_id}", f"profile:{user_id}"]
    kept = ["dataset:d-2", f"usage:{other}", f"profile:{other}"]
    for key in (*stale, *kept):
        cache.set(key, {"old": True})

    publish_now(
        pipeline_with_doubles.assembly,
        dataset_uploaded(user_id),
        UserUpdated(user_id=user_id, name="Ada"),
    )
    pipeline_with_doubles.work()

    assert [cache.get(key) for key in stale] == [None] * 3
    assert all(cache.exists(key) for key in kept)
    assert pipeline_with_doubles.owed() == []


def test_usage_is_deleted_only_once_it_is_counted(
    pipeline_with_doubles: Pipeline, user_id: UUID
) -> None:
    cache = pipeline_with_doubles.assembly.services.cache
    pipeline_with_doubles.follow(invalidate, count_usage)
    cache.set(f"usage:{user_id}", {"datasets": 0})
    publish_now(pipeline_with_doubles.assembly, dataset_uploaded(user_id))

    assert pipeline_with_doubles.rung() == ["usage"]
    pipeline_with_doubles.answer("cache")
    assert cache.exists(f"usage:{user_id}")
    pipeline_with_doubles.answer("usage")
    pipeline_with_doubles.work()

    assert not cache.exists(f"usage:{user_id}")
    assert pipeline_with_doubles.owed() == []
