"""What is cached of a thing is forgotten once the thing has changed; sessions end with accounts."""

from uuid import UUID

from events import UserDeleted, UserUpdated
from handlers.cache import invalidate
from handlers.sessions import end_sessions
from handlers.usage import count_usage
from tests.conftest import publish_now, sign_up
from tests.engine import Engine
from tests.handlers.test_contacts import uploaded


def test_entries_are_forgotten_when_their_events_pass(outfitted: Engine, user_id: UUID) -> None:
    cache = outfitted.assembly.services.cache
    other = sign_up(outfitted.assembly)
    outfitted.follow(invalidate)
    stale = ["dataset:d-1", f"usage:{user_id}", f"profile:{user_id}"]
    kept = ["dataset:d-2", f"usage:{other}", f"profile:{other}"]
    for key in (*stale, *kept):
        cache.set(key, {"old": True})

    publish_now(outfitted.assembly, uploaded(user_id), UserUpdated(user_id=user_id, name="Ada"))
    outfitted.work()

    assert [cache.get(key) for key in stale] == [None] * 3
    assert all(cache.exists(key) for key in kept)
    assert outfitted.owed() == []


def test_usage_is_forgotten_only_once_it_is_counted(outfitted: Engine, user_id: UUID) -> None:
    cache = outfitted.assembly.services.cache
    outfitted.follow(invalidate, count_usage)
    cache.set(f"usage:{user_id}", {"datasets": 0})
    publish_now(outfitted.assembly, uploaded(user_id))
    messages = {message.queue_name: message for message in outfitted.lease()}

    outfitted.deliver(messages["cache"])
    assert cache.exists(f"usage:{user_id}")
    outfitted.deliver(messages["usage"])
    outfitted.pass_time()
    outfitted.work()

    assert not cache.exists(f"usage:{user_id}")
    assert outfitted.owed() == []


def test_who_closes_their_account_is_signed_out_everywhere(
    outfitted: Engine, user_id: UUID
) -> None:
    sessions = outfitted.assembly.services.sessions
    other = sign_up(outfitted.assembly)
    mine = [sessions.create(user_id), sessions.create(user_id)]
    theirs = sessions.create(other)
    outfitted.follow(end_sessions)

    publish_now(outfitted.assembly, UserDeleted(user_id=user_id))
    outfitted.work()

    assert [sessions.read(id_) for id_ in mine] == [None, None]
    assert sessions.read(theirs) is not None
