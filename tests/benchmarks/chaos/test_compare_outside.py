"""Every way in which effects at providers could be wrong is found."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from benchmarks.chaos.observed.providers import ProviderData
from benchmarks.chaos.system.provider_double import Call
from events import uuid7
from tests.benchmarks.chaos.finished_run import FinishedRun


def never_called(calls: Sequence[Call]) -> list[Call]:
    return [call for call in calls if call[:2] != calls[0][:2]]


def never_done(calls: Sequence[Call]) -> list[Call]:
    return [call._replace(done=call.done and call[:2] != calls[0][:2]) for call in calls]


def without_a_key(calls: Sequence[Call]) -> list[Call]:
    return [*calls, calls[0]._replace(key=None)]


def with_an_empty_key(calls: Sequence[Call]) -> list[Call]:
    return [*calls, calls[0]._replace(key="")]


def under_two_keys(calls: Sequence[Call]) -> list[Call]:
    return [*calls, calls[0]._replace(key="another")]


def under_the_key_of_another(calls: Sequence[Call]) -> list[Call]:
    return [call._replace(key=calls[0].key) if call is calls[1] else call for call in calls]


def called_twice_under_its_key(calls: Sequence[Call]) -> list[Call]:
    return [*calls, calls[0]]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (never_called, {"lost chaos_call"}),
        (never_done, {"lost chaos_call"}),
        (without_a_key, {"un-keyed chaos_call"}),
        (with_an_empty_key, {"un-keyed chaos_call"}),
        (under_two_keys, {"un-keyed chaos_call"}),
        (under_the_key_of_another, {"un-keyed chaos_call"}),
        (called_twice_under_its_key, set()),
    ],
)
def test_what_is_wrong_with_calls_is_found(
    finished_run: FinishedRun, change: Callable[[Sequence[Call]], list[Call]], found: set[str]
) -> None:
    observed = finished_run.observe()
    calls = sorted(observed.calls, key=lambda call: call.handler != "chaos_call")

    assert finished_run.defects(replace(observed, calls=change(calls))) == found


def without_an_email(data: ProviderData) -> ProviderData:
    return replace(data, emails=data.emails[1:])


def with_an_email_twice(data: ProviderData) -> ProviderData:
    return replace(data, emails=[*data.emails, data.emails[0]])


def with_an_email_without_a_key(data: ProviderData) -> ProviderData:
    return replace(data, emails=[*data.emails, None])


def without_an_event(data: ProviderData) -> ProviderData:
    return replace(data, captured=data.captured[1:])


def with_an_event_twice(data: ProviderData) -> ProviderData:
    return replace(data, captured=[*data.captured, data.captured[0]])


def without_a_contact(data: ProviderData) -> ProviderData:
    return replace(data, contacts=dict(list(data.contacts.items())[1:]))


def with_the_contact_of_a_deleted_user(data: ProviderData) -> ProviderData:
    return replace(data, contacts={**data.contacts, uuid7(): ("a@b.co", "Ada")})


def without_a_milestone(data: ProviderData) -> ProviderData:
    return replace(data, milestones=data.milestones[1:])


def with_a_milestone_twice(data: ProviderData) -> ProviderData:
    return replace(data, milestones=[*data.milestones, data.milestones[0]])


def without_a_subscriber(data: ProviderData) -> ProviderData:
    return replace(data, subscribers=data.subscribers[1:])


def with_a_leak(data: ProviderData) -> ProviderData:
    return replace(data, leaks=["ada@example.com"])


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (without_an_email, {"lost email"}),
        (without_a_milestone, {"lost milestone"}),
        (with_a_milestone_twice, {"duplicated milestone"}),
        (without_a_subscriber, {"lost subscriber"}),
        (with_an_email_twice, {"duplicated email"}),
        (with_an_email_without_a_key, {"un-keyed email"}),
        (without_an_event, {"lost analytics"}),
        (with_an_event_twice, {"duplicated analytics"}),
        (without_a_contact, {"lost contact"}),
        (with_the_contact_of_a_deleted_user, {"duplicated contact"}),
        (with_a_leak, {"leaked envelope"}),
    ],
)
def test_what_is_wrong_at_a_provider_is_found(
    finished_run: FinishedRun, change: Callable[[ProviderData], ProviderData], found: set[str]
) -> None:
    observed = finished_run.observe()

    changed = replace(observed, providers=change(observed.providers))
    assert finished_run.defects(changed) == found
