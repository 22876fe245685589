"""The pages show what each provider was sent."""

from typing import Any

import httpx
import pytest

from events import uuid7
from tests.doubles import Doubles
from tests.factories import dataset_uploaded, profile_changes, publish_now
from tests.pipeline import Pipeline


@pytest.mark.parametrize("path", ["/", "/contacts", "/people", "/flags", "/errors"])
def test_a_page_opens_with_nothing_to_show(path: str, doubles: Doubles) -> None:
    answer = httpx.get(doubles.url + path)

    assert answer.status_code == 200
    assert "yet" in answer.text


def test_what_was_sent_is_shown(pipeline_with_doubles: Pipeline, doubles: Doubles) -> None:
    user = uuid7()
    publish_now(pipeline_with_doubles.assembly, *profile_changes(user), dataset_uploaded(user))
    for _ in range(3):
        pipeline_with_doubles.work()
        pipeline_with_doubles.pass_time()

    assert "Welcome to ML Insights" in httpx.get(doubles.url).text
    assert "countess@example.com" in httpx.get(f"{doubles.url}/contacts").text
    assert "dataset_uploaded" in httpx.get(f"{doubles.url}/people").text


def test_flags_are_shown_with_the_groups_they_are_rolled_out_to(doubles: Doubles) -> None:
    pro = {"key": "plan", "value": ["pro"], "operator": "exact", "type": "person"}
    flags: list[dict[str, Any]] = [
        {"key": "half", "active": True, "filters": {"groups": [{"rollout_percentage": 50}]}},
        {"key": "all-pro", "filters": {"groups": [{"properties": [pro]}]}},
        {"key": "ended", "active": False, "filters": {"groups": []}},
    ]
    doubles.set_flags(flags)

    page = httpx.get(f"{doubles.url}/flags").text
    half, pro_only, ended = (row.split("</tr>")[0] for row in page.split("<tr>")[2:])

    assert "half" in half
    assert ">active<" in half
    assert "50%" in half
    assert "100% of plan: [&#39;pro&#39;]" in pro_only
    assert ">active<" in pro_only
    assert ">not active<" in ended
    assert "nobody" in ended
    assert doubles.state("posthog")["flags"] == flags
