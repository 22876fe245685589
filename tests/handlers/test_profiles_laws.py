"""Any order and any duplication of a user's events ends in the same profile."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from events import Event, UserDeleted, UserSignedUp, UserUpdated, uuid7
from runtime.assembly import Assembly
from tests.handlers.laws import law, quick_law

NOBODY = UUID(int=0)
NOON = datetime(2025, 10, 20, 12, tzinfo=UTC)
INSTANTS = st.integers(0, 2).map(lambda seconds: NOON + timedelta(seconds=seconds))
EMAILS = ["ada@example.com", "bea@example.com", "cy@example.com"]
NAMES = [None, "Ada", "Bea", "Cy"]
PROFILE = text("SELECT email, name, created_at, plan FROM public.profiles WHERE id = :user")
PROFILE_NEWS = text("""
    SELECT email_at, name_at, deleted_at FROM insights.profile_news WHERE user_id = :user
""")


@st.composite
def lives(draw: st.DrawFn, *, may_end: bool) -> list[Event]:
    """What happened to one user, often at the same instant."""
    kinds: list[type[Event]] = [UserSignedUp, UserUpdated, UserUpdated]
    kinds += [UserDeleted] if may_end else []
    events: list[Event] = []
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=6)):
        given: dict[str, Any] = {
            "id": draw(st.uuids()),
            "user_id": NOBODY,
            "occurred_at": draw(INSTANTS),
        }
        if kind is not UserDeleted:
            emails = EMAILS if kind is UserSignedUp else [None, *EMAILS]
            given |= {"email": draw(st.sampled_from(emails)), "name": draw(st.sampled_from(NAMES))}
        events.append(kind.model_validate(given))
    return events


def of_new_user(events: Sequence[Event]) -> tuple[UUID, list[Event]]:
    user = uuid7()
    return user, [event.model_copy(update={"user_id": user}) for event in events]


def newest(events: Sequence[Event], field: str) -> tuple[Any, Any]:
    """The newest value of a field and its time; of two at once, that of the greater id."""
    values = [(e.occurred_at, e.id, getattr(e, field, None)) for e in events]
    at, _, value = max((w for w in values if w[2] is not None), default=(None, None, None))
    return value, at


def expected_profile(events: Sequence[Event]) -> tuple[Any, ...] | None:
    if any(isinstance(event, UserDeleted) for event in events):
        return None
    first = min(event.occurred_at for event in events)
    return newest(events, "email")[0], newest(events, "name")[0], first, "free"


def expected_news(events: Sequence[Event]) -> tuple[Any, ...]:
    ends = [event.occurred_at for event in events if isinstance(event, UserDeleted)]
    return newest(events, "email")[1], newest(events, "name")[1], min(ends, default=None)


def stored(assembly: Assembly, user: UUID, query: Any) -> tuple[Any, ...] | None:
    with assembly.engine.connect() as connection:
        row = connection.execute(query, {"user": user}).one_or_none()
    return None if row is None else tuple(row)


def handle(assembly: Assembly, event: Event) -> None:
    with assembly.sessions.begin() as session:
        assembly.handlers["profiles"]([event], session)


@given(data=st.data(), life=lives(may_end=True))
@quick_law
def test_a_profile_depends_on_the_events_alone(
    assembly: Assembly, data: st.DataObject, life: list[Event]
) -> None:
    user, events = of_new_user(life)
    again = data.draw(st.lists(st.sampled_from(range(len(events))), max_size=3))
    for index in data.draw(st.permutations([*range(len(events)), *again])):
        handle(assembly, events[index])

    assert stored(assembly, user, PROFILE) == expected_profile(events)
    assert stored(assembly, user, PROFILE_NEWS) == expected_news(events)


@given(before=lives(may_end=False), after=lives(may_end=False))
@law
def test_a_user_who_is_deleted_stays_deleted(
    assembly: Assembly, before: list[Event], after: list[Event]
) -> None:
    end = UserDeleted(user_id=NOBODY, occurred_at=NOON - timedelta(days=1))
    user, events = of_new_user([*before, end, *after])
    for event in events:
        handle(assembly, event)

    assert stored(assembly, user, PROFILE) is None


@given(life=lives(may_end=True))
@law
def test_a_profile_is_the_same_when_all_is_handled_at_once(
    assembly: Assembly, life: list[Event]
) -> None:
    user, events = of_new_user(life)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda event: handle(assembly, event), events))

    assert stored(assembly, user, PROFILE) == expected_profile(events)
