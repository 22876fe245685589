"""Pipelines that follow the handlers under test and no other."""

from pathlib import Path
from uuid import UUID

import pytest
from sklearn.datasets import load_breast_cancer

from handlers.analytics.handler import forward
from handlers.contacts.handler import keep_contacts
from handlers.emails.handler import send_awaited_email, send_email
from handlers.profiles import keep_profiles
from handlers.usage import count_usage
from models.providers import switch_off
from runtime.assembly import Assembly
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


@pytest.fixture
def storage_folder(assembly: Assembly, user_id: UUID) -> Path:
    """The folder of data sets and models, with the data set `tumours` of the user."""
    folder = Path(assembly.settings.storage.removeprefix("file://"))
    (folder / str(user_id)).mkdir(parents=True, exist_ok=True)
    frame = load_breast_cancer(as_frame=True).frame
    frame.sample(200, random_state=1).to_csv(folder / str(user_id) / "tumours.csv", index=False)
    return folder


@pytest.fixture
def erasing(pipeline_with_doubles: Pipeline) -> Pipeline:
    """Profiles and erasure alone, with the events that `erasure` follows in the product."""
    erasure = pipeline_with_doubles.assembly.handlers["erasure"]
    pipeline_with_doubles.follow(erasure, keep_profiles)
    return pipeline_with_doubles


@pytest.fixture
def person_deletion_off(assembly_with_doubles: Assembly) -> None:
    """The persons of deleted users stay at PostHog, as an operator decided."""
    with assembly_with_doubles.sessions.begin() as session:
        switch_off(session, "posthog_persons")
