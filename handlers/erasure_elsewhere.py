"""Erases what Redis and PostHog keep of users who deleted their account."""

from collections.abc import Sequence
from datetime import timedelta

from events import UserErased
from handlers.outcomes import Outcomes, RetryLater, require_client
from handlers.registry import external
from models.events import trainings_of_users, younger_than
from models.owners import Claim, Kind, refuted
from services import Services

WORK_IN_HAND_ENDS = timedelta(minutes=1)
"""Work that had looked the user up before the deletion has written by then: a call to a provider
gives up after 10 s, and what is frozen for longer loses its lease after 30 s."""


@external("progress_deletion", UserErased, batch=100, concurrency=1)
def delete_progress(
    events: Sequence[UserErased], services: Services, _keys: Sequence[str]
) -> Outcomes:
    """Delete the live progress of the users' trainings, once nobody writes any of it."""
    early = too_early(events, services)
    users = {event.user_id for event in events if event.id not in early}
    trainings = services.transaction(lambda session: trainings_of_users(session, users))
    claims = [Claim(Kind.TRAINING, training_id, user_id) for user_id, training_id in trainings]
    others = services.transaction(lambda session: refuted(session, claims))
    services.progress.remove(sorted(claim.id for claim in claims if claim not in others))
    return early


@external("posthog_deletion", UserErased, batch=500, concurrency=1, provider="posthog_persons")
def delete_persons(
    events: Sequence[UserErased], services: Services, _keys: Sequence[str]
) -> Outcomes:
    """Delete the persons with their events, once nothing more of them is captured."""
    persons = require_client(services.persons, "PostHog's persons")
    early = too_early(events, services)
    users = sorted({event.user_id for event in events if event.id not in early})
    if users:
        persons.delete(users)
    return early


def too_early(events: Sequence[UserErased], services: Services) -> Outcomes:
    """RetryLater for each event of the last minute."""
    ids = [event.id for event in events]
    early = services.transaction(lambda session: younger_than(session, WORK_IN_HAND_ENDS, ids))
    later = RetryLater(WORK_IN_HAND_ENDS, "Work of before the deletion may still be in hand.")
    return dict.fromkeys(early, later)
