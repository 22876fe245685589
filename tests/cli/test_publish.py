"""`insights publish`."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from events import named_id, uuid7
from runtime.assembly import Assembly
from services.redis.doorbell import RELAY, Listener
from tests.cli.conftest import Insights, flat, plain
from tests.services.redis.stand_ins import hanging_redis

USER = str(uuid7())
MADE = '{"model_id": "m-1"}'
TO_COME = (datetime.now(UTC) + timedelta(hours=25)).isoformat()


def events(assembly: Assembly) -> list[Any]:
    with assembly.engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM insights.events")))


def test_an_event_is_published_and_owed(insights: Insights, assembly: Assembly) -> None:
    result = insights(
        "publish", "prediction.made", "--user", USER, "--data", MADE,
        "--occurred-at", "2026-01-31T10:00:00Z",
    )  # fmt: skip

    (event,) = events(assembly)
    assert result.exit_code == 0
    assert result.stdout.split() == ["published", str(event.id)]
    assert (event.type, event.source) == ("prediction.made", "cli")
    assert event.user_id == UUID(USER)
    assert event.occurred_at == datetime(2026, 1, 31, 10, tzinfo=UTC)
    with assembly.engine.connect() as connection:
        owed = connection.scalars(text("SELECT handler FROM insights.delivery_states")).all()
    assert "usage" in owed


def test_the_same_id_is_published_once(insights: Insights, assembly: Assembly) -> None:
    arguments = ("publish", "prediction.made", "--user", USER, "--data", MADE, "--id", "order 7")

    first = json.loads(insights(*arguments, "--json").stdout)
    again = json.loads(insights(*arguments, "--json").stdout)

    id_ = str(named_id("cli", "order 7"))
    assert first == {"id": id_, "type": "prediction.made", "new": True}
    assert again == {"id": id_, "type": "prediction.made", "new": False}
    assert len(events(assembly)) == 1
    assert "was published before" in flat(insights(*arguments).stdout)


def test_a_uuid_is_the_id_itself(insights: Insights, assembly: Assembly) -> None:
    id_ = uuid7()

    insights("publish", "prediction.made", "--user", USER, "--data", MADE, "--id", id_)

    assert [event.id for event in events(assembly)] == [id_]


def test_data_come_from_a_file_or_from_standard_input(
    insights: Insights, assembly: Assembly, tmp_path: Path
) -> None:
    (tmp_path / "made.json").write_text('{"model_id": "from-file"}')

    insights("publish", "prediction.made", "--user", USER, "--data", "@made.json")
    insights(
        "publish", "prediction.made", "--user", USER, "--data", "-",
        given='{"model_id": "from-stdin"}',
    )  # fmt: skip

    models = {event.data["model_id"] for event in events(assembly)}
    assert models == {"from-file", "from-stdin"}


def test_publishing_rings_the_relay(insights: Insights, assembly: Assembly) -> None:
    listener = Listener(plain(assembly.settings.redis_url), [RELAY])
    listener.start()
    assert listener.bells[RELAY].wait(5)
    listener.bells[RELAY].clear()

    insights("publish", "prediction.made", "--user", USER, "--data", MADE)

    assert listener.bells[RELAY].wait(5)
    listener.stop()
    listener.join(5)


WRONG = {
    "an unknown type": (["prediction.dreamt"], "No event is called 'prediction.dreamt'."),
    "no user": (["prediction.made", "--data", MADE], "--user is missing"),
    "a user that is none": (
        ["prediction.made", "--user", "me", "--data", MADE], "--user: Input should be a valid UUID",
    ),
    "a missing field": (
        ["prediction.made", "--user", USER], "the field 'model_id' is missing",
    ),
    "a field too many": (
        ["user.updated", "--user", USER, "--data", '{"nick": "A"}'],
        "there is no field 'nick' (it has email, name)",
    ),
    "a field of the envelope": (
        ["user.updated", "--data", json.dumps({"user_id": USER})],
        "'user_id' belongs to the event's envelope. Give it by --user.",
    ),
    "a wrong value": (
        ["prediction.made", "--user", USER,
         "--data", '{"model_id": "m", "prediction_count": 0}'],
        "the field 'prediction_count': Input should be greater than or equal to 1",
    ),
    "a value of the wrong type": (
        ["prediction.made", "--user", USER, "--data", '{"model_id": 5}'],
        "the field 'model_id': Input should be a valid string",
    ),
    "what is not JSON": (
        ["user.updated", "--user", USER, "--data", "{nick}"], "--data is not JSON",
    ),
    "NaN": (
        ["user.updated", "--user", USER, "--data", '{"a": NaN}'], "NaN is not a JSON value",
    ),
    "a list": (["user.updated", "--user", USER, "--data", "3"], "must be a JSON object"),
    "deep JSON": (
        ["user.updated", "--user", USER, "--data", "[" * 100_000], "--data is not JSON",
    ),
    "a missing file": (
        ["user.updated", "--user", USER, "--data", "@none.json"], "none.json cannot be read",
    ),
    "a wrong time": (
        ["user.updated", "--user", USER, "--occurred-at", "soon"], "'soon' is no time.",
    ),
    "an impossible time": (
        ["user.updated", "--user", USER, "--occurred-at", "999999999d"], "is no time.",
    ),
    "infinity": (
        ["user.updated", "--user", USER, "--occurred-at", "infinity"], "'infinity' is no time.",
    ),
    "a time to come": (
        ["user.updated", "--user", USER, "--occurred-at", TO_COME],
        "--occurred-at: user.updated: occurred_at lies more than a day ahead",
    ),
    "the last of all times": (
        ["user.updated", "--user", USER, "--occurred-at", "9999-12-31T23:59:59.999999-12:00"],
        "--occurred-at: user.updated: occurred_at lies more than a day ahead",
    ),
    "an empty id": (["user.updated", "--user", USER, "--id", ""], "--id is empty"),
    "an empty source": (["user.updated", "--user", USER, "--source", ""], "--source: String"),
    "an id that is no text": (
        ["user.updated", "--user", USER, "--id", "\udcff"], "must be UTF-8 text",
    ),
    "a NUL": (
        ["user.updated", "--user", USER, "--data", r'{"name": "\u0000"}'], "holds a NUL",
    ),
    "half a character": (
        ["user.updated", "--user", USER, "--data", r'{"name": "\ud800"}'],
        "This is no user.updated",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said_in_a_sentence(
    insights: Insights, assembly: Assembly, arguments: list[str], sentence: str
) -> None:
    result = insights("publish", *arguments)

    assert result.exit_code == 1
    assert sentence in flat(result.stderr)
    assert result.stdout == ""
    assert events(assembly) == []


def test_a_database_that_is_away_is_a_sentence_too(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    result = insights("publish", "user.updated", "--user", USER)

    assert result.exit_code == 1
    assert "does not answer" in flat(result.stderr)


def test_publishing_does_not_wait_for_a_redis_that_is_away(
    insights: Insights, assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")

    assert insights("publish", "user.updated", "--user", USER).exit_code == 0
    assert len(events(assembly)) == 1


@pytest.mark.parametrize("hangs", [False, True])
def test_a_command_ends_once_it_rang_and_waits_a_second_for_a_redis_that_hangs(
    hangs: bool, insights: Insights, assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hanging_redis() as url:
        if hangs:
            monkeypatch.setenv("REDIS_URL", url)
        began = time.monotonic()
        assert insights("publish", "user.updated", "--user", USER).exit_code == 0
        took = time.monotonic() - began

    assert took < 3
    assert len(events(assembly)) == 1


def test_the_installed_command_prints_only_the_sentence(assembly: Assembly, tmp_path: Path) -> None:
    environment = os.environ | {
        "DATABASE_URL": plain(assembly.settings.database_url),
        "REDIS_URL": plain(assembly.settings.redis_url),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [sys.executable, "-m", "cli", "publish", "user.signed_up", "--user", USER]

    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert flat(done.stderr) == "error: This is no user.signed_up: the field 'email' is missing."
