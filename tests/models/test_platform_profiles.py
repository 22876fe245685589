"""The handler `profiles` on a platform's table, whose rows need an address and a known user."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from events import Event, UserDeleted, UserSignedUp, UserUpdated, uuid7
from runtime.assembly import Assembly
from tests.factories import Servers
from tests.models.assemblies import assembly_on

NOON = datetime(2025, 10, 20, 12, tzinfo=UTC)
EMAIL = "cy@example.com"
USER = text("INSERT INTO auth.users (id, email) VALUES (:user, :email)")
PROFILE = text("INSERT INTO public.profiles (id, email, full_name) VALUES (:user, :email, 'Cy')")
PROFILE_ROW = text("SELECT email, name, full_name, plan FROM public.profiles WHERE id = :user")


@pytest.fixture
def platform(platform_url: str, servers: Servers) -> Iterator[Assembly]:
    with assembly_on(platform_url, servers) as assembly:
        yield assembly


@pytest.fixture
def user(platform: Assembly) -> UUID:
    """A user of the platform, without a profile yet."""
    id_ = uuid7()
    with platform.engine.begin() as connection:
        connection.execute(USER, {"user": id_, "email": EMAIL})
    return id_


@pytest.fixture
def member(platform: Assembly, user: UUID) -> UUID:
    """A user whose profile the platform created."""
    with platform.engine.begin() as connection:
        connection.execute(PROFILE, {"user": user, "email": EMAIL})
    return user


def handle(platform: Assembly, event: Event) -> None:
    with platform.sessions.begin() as session:
        platform.handlers["profiles"]([event], session)


def profile_row(platform: Assembly, user: UUID) -> list[Any]:
    with platform.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(PROFILE_ROW, {"user": user})]


def test_a_sign_up_creates_the_profile_where_the_platform_did_not(
    platform: Assembly, user: UUID
) -> None:
    handle(platform, UserSignedUp(user_id=user, email=EMAIL, name="Cy"))

    assert profile_row(platform, user) == [(EMAIL, "Cy", None, "free")]


def test_a_sign_up_leaves_what_the_platform_knows_of_its_user(
    platform: Assembly, member: UUID
) -> None:
    handle(platform, UserSignedUp(user_id=member, email=EMAIL))

    assert profile_row(platform, member) == [(EMAIL, None, "Cy", "free")]


def test_a_new_name_alone_is_taken_although_the_platform_wants_an_address(
    platform: Assembly, member: UUID
) -> None:
    handle(platform, UserUpdated(user_id=member, name="Cyril"))

    assert profile_row(platform, member) == [(EMAIL, "Cyril", "Cy", "free")]


def test_the_sign_up_of_a_user_unknown_to_the_platform_fails_and_is_tried_again(
    platform: Assembly,
) -> None:
    stranger = UserSignedUp(user_id=uuid7(), email=EMAIL)
    with pytest.raises(IntegrityError, match="profiles_id_fkey"):
        handle(platform, stranger)


def test_a_deleted_user_loses_the_profile_and_nothing_brings_it_back(
    platform: Assembly, member: UUID
) -> None:
    handle(platform, UserDeleted(user_id=member, occurred_at=NOON))
    handle(platform, UserUpdated(user_id=member, name="Cyril"))

    assert profile_row(platform, member) == []
