"""The vendors' own SDKs, unchanged, against the doubles."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from posthog import Posthog
from upstash_redis import Redis
from upstash_redis.errors import UpstashError

from runtime.assembly import Assembly
from runtime.sandbox_settings import template_id
from tests.doubles import Doubles
from tests.sandbox.node_scripts import RunScript

EVERYONE = {"groups": [{"properties": [], "rollout_percentage": 100}]}
ON = {"id": 1, "key": "on", "active": True, "filters": EVERYONE}


def test_posthog_for_python(doubles: Doubles) -> None:
    doubles.posthog.flags = [ON]
    client = Posthog("phc_key", host=f"{doubles.url}/posthog", gzip=True, flush_at=1)
    id_, at = str(uuid4()), datetime(2026, 11, 20, 10, tzinfo=UTC)

    for _ in range(2):
        client.capture(
            "dataset_uploaded", distinct_id="user-1", uuid=id_, timestamp=at,
            properties={"filename": "a.csv", "$set": {"plan": "pro"}},
        )  # fmt: skip
    client.set(distinct_id="user-1", properties={"name": "Ada"})
    decided = client.evaluate_flags("user-1").is_enabled("on")
    client.flush()
    client.shutdown()

    uploads = [each for each in doubles.posthog.events() if each.event == "dataset_uploaded"]
    assert [(each.uuid, each.timestamp) for each in uploads] == [(id_, at)]
    assert doubles.posthog.persons["user-1"] == {"plan": "pro", "name": "Ada"}
    assert decided


def test_posthog_for_node(doubles: Doubles, node: RunScript) -> None:
    doubles.posthog.flags = [ON]

    printed = node("posthog.mjs", doubles.url)

    (event,) = doubles.posthog.events()
    assert printed == {"on": True}
    assert (event.event, event.distinct_id) == ("dataset_uploaded", "user-1")
    assert event.uuid == "0198c0de-0000-7000-8000-000000000001"
    assert event.timestamp == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_loops_for_node(doubles: Doubles, node: RunScript) -> None:
    printed = node("loops.mjs", doubles.url, template_id("welcome"))

    assert printed["key"] == {"success": True, "teamName": "Sandbox"}
    assert printed["created"]["success"]
    assert printed["found"][0]["plan"] == "pro"
    assert printed["event"] == printed["mail"] == {"success": True}
    assert printed["replay"] == 409
    assert printed["limited"] == 10
    assert [mail.template for mail in doubles.loops.mails] == ["welcome"]
    assert [event.name for event in doubles.loops.events] == ["training_completed"]


def test_upstash_for_python(doubles: Doubles, assembly: Assembly) -> None:
    client = Redis(f"{doubles.url}/upstash", "token", allow_telemetry=False)
    client.set("k", {"a": "b"}, ex=60)  # type: ignore[arg-type]
    pipeline = client.pipeline()
    pipeline.set("n", 1)
    pipeline.incr("n")

    assert client.get("k") == '{"a": "b"}'
    assert pipeline.exec() == [True, 2]
    assert client.eval("return ARGV[1]", keys=[], args=["x"]) == "x"
    with pytest.raises(UpstashError, match="WRONGTYPE"):
        client.lpush("k", "x")
    client.close()  # type: ignore[no-untyped-call]


def test_upstash_for_node(doubles: Doubles, assembly: Assembly, node: RunScript) -> None:
    printed = node("upstash.mjs", doubles.url)

    assert printed["set"] == "OK"
    assert printed["get"] == {"name": "Ümläut", "n": 5}
    assert printed["many"] == [1, 2, 0]
    assert printed["hash"] == {"progress": 40, "message": "Lernt, ja"}
    assert printed["script"] == ["key", "argument"]
    assert printed["transaction"] == ["OK", 1]
    assert "WRONGTYPE" in printed["error"]
    assert printed["heard"] == {"progress": 40, "message": "Learning"}
