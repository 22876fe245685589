"""Sessions end with the account."""

from uuid import UUID

from events import UserDeleted
from handlers.sessions import end_sessions
from tests.factories import publish_now, sign_up
from tests.pipeline import Pipeline


def test_a_user_who_closes_the_account_is_signed_out_everywhere(
    pipeline_with_doubles: Pipeline, user_id: UUID
) -> None:
    sessions = pipeline_with_doubles.assembly.services.sessions
    other = sign_up(pipeline_with_doubles.assembly)
    mine = [sessions.create(user_id), sessions.create(user_id)]
    theirs = sessions.create(other)
    pipeline_with_doubles.follow(end_sessions)

    publish_now(pipeline_with_doubles.assembly, UserDeleted(user_id=user_id))
    pipeline_with_doubles.work()

    assert [sessions.read(id_) for id_ in mine] == [None, None]
    assert sessions.read(theirs) is not None
