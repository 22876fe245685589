"""Pipelines that follow the handlers under test and no other."""

import pytest

from handlers.analytics.handler import forward
from handlers.contacts.handler import keep_contacts
from handlers.emails.handler import send_awaited_email, send_email
from handlers.profiles import keep_profiles
from handlers.usage import count_usage
from tests.pipeline import Pipeline


@pytest.fixture
def email_pipeline(pipeline_with_doubles: Pipeline) -> Pipeline:
    pipeline_with_doubles.follow(send_email, send_awaited_email)
    return pipeline_with_doubles


@pytest.fixture
def contact_pipeline(pipeline_with_doubles: Pipeline) -> Pipeline:
    pipeline_with_doubles.follow(keep_contacts, keep_profiles)
    return pipeline_with_doubles


@pytest.fixture
def analytics_pipeline(pipeline_with_doubles: Pipeline) -> Pipeline:
    pipeline_with_doubles.follow(forward)
    return pipeline_with_doubles


@pytest.fixture
def usage_pipeline(pipeline: Pipeline) -> Pipeline:
    pipeline.follow(count_usage)
    return pipeline
