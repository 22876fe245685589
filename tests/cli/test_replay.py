"""`insights replay`."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from events import Event, PredictionMade, UserSignedUp, publish, uuid7
from models.deliveries import replay
from models.deliveries.replay import Selection
from models.server import database_time
from runtime.assembly import Assembly
from tests.cli.conftest import Insights, flat, let_die
from tests.factories import predictions_made, publish_now
from tests.pipeline import Pipeline


def owed(assembly: Assembly, handler: str = "usage") -> list[Any]:
    with assembly.engine.connect() as connection:
        query = "SELECT * FROM insights.delivery_states WHERE handler = :handler ORDER BY event_id"
        return list(connection.execute(text(query), {"handler": handler}))


def made(assembly: Assembly, count: int = 1) -> list[Event]:
    events = [PredictionMade(user_id=uuid7(), model_id="m") for _ in range(count)]
    publish_now(assembly, *events)
    return list(events)


def forget(assembly: Assembly) -> None:
    """As if all were done: nothing is owed any more."""
    with assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM insights.deliveries"))


def age(assembly: Assembly, event: Event, span: str) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE insights.events SET recorded_at = now() - CAST(:s AS interval) WHERE id=:i"
            ),
            {"s": span, "i": event.id},
        )


def test_dead_letters_become_due_again_with_all_their_attempts(
    insights: Insights, assembly: Assembly
) -> None:
    made(assembly, 3)
    let_die(assembly, "usage")

    result = insights("replay", "--dead", "--yes")

    assert result.exit_code == 0
    assert "3 deliveries are due now." in flat(result.stdout)
    assert {(row.died_at, row.attempts, row.state) for row in owed(assembly)} == {(None, 0, "due")}


def test_replayed_dead_letters_are_handled(
    insights: Insights, assembly: Assembly, pipeline: Pipeline
) -> None:
    user = uuid7()
    publish_now(assembly, PredictionMade(user_id=user, model_id="m"))
    let_die(assembly, "usage")
    publish_now(assembly, UserSignedUp(user_id=user, email="a@b.co"))

    insights("replay", "--handler", "usage", "--yes")
    pipeline.work()
    pipeline.pass_time()  # usage may have come before the profile
    pipeline.work()

    with assembly.engine.connect() as connection:
        used = connection.scalar(text("SELECT predictions_this_month FROM public.usage_limits"))
    assert used == 1
    assert owed(assembly) == []


def test_a_dry_run_counts_per_handler_and_changes_nothing(
    insights: Insights, assembly: Assembly
) -> None:
    made(assembly, 2)
    publish_now(assembly, UserSignedUp(user_id=uuid7(), email="a@b.co"))
    let_die(assembly, "usage")
    let_die(assembly, "profiles")

    output = json.loads(insights("replay", "--dead", "--dry-run", "--json").stdout)

    assert output["handlers"] == {"profiles": 1, "usage": 2}
    assert (output["mode"], output["replayed"]) == ("dead", 0)
    assert all(row.died_at for row in owed(assembly))


def test_without_yes_it_asks(insights: Insights, assembly: Assembly) -> None:
    made(assembly)
    let_die(assembly, "usage")

    refused = insights("replay", "--dead", given="n\n")

    assert refused.exit_code == 1
    assert owed(assembly)[0].died_at is not None
    agreed = insights("replay", "--dead", given="y\n")
    assert agreed.exit_code == 0
    assert owed(assembly)[0].died_at is None


def test_dead_letters_are_selected_by_handler_event_type_and_time(
    insights: Insights, assembly: Assembly
) -> None:
    first, second, third = made(assembly, 3)
    let_die(assembly, "usage")
    age(assembly, first, "3 days")
    age(assembly, second, "2 hours")

    def counted(*arguments: object) -> int:
        shown = insights("replay", "--dry-run", "--json", *arguments).stdout
        return sum(json.loads(shown)["handlers"].values())

    assert counted("--handler", "usage") == 3
    assert counted("--handler", "profiles") == 0
    assert counted("--event", third.id) == 1
    assert counted("--type", "prediction.made") == 3
    assert counted("--type", "user.deleted") == 0
    assert counted("--dead", "--since", "1d") == 2
    assert counted("--dead", "--until", "1d") == 1
    assert counted("--dead", "--since", "1d", "--until", "1h") == 1


def test_what_dies_again_meanwhile_does_not_keep_a_replay_from_ending(assembly: Assembly) -> None:
    made(assembly)
    let_die(assembly, "usage")
    with assembly.engine.begin() as connection:
        began = database_time(connection)
        assert replay.revive(connection, Selection(), began) == 1
    let_die(assembly, "usage")

    with assembly.engine.begin() as connection:
        assert replay.revive(connection, Selection(), began) == 0


@pytest.mark.parametrize("chosen", [["--history"], ["--since", "1h"]])
def test_a_new_handler_is_given_the_history_of_events(
    insights: Insights,
    assembly: Assembly,
    monkeypatch: pytest.MonkeyPatch,
    chosen: list[str],
) -> None:
    monkeypatch.setattr(replay, "CHUNK", 2)
    events = made(assembly, 5)
    publish_now(assembly, UserSignedUp(user_id=uuid7(), email="a@b.co"))
    forget(assembly)

    result = insights("replay", "--handler", "usage", *chosen, "--yes")

    assert "5 deliveries are due now." in flat(result.stdout)
    assert {row.event_id for row in owed(assembly)} == {event.id for event in events}
    assert owed(assembly, "profiles") == []


def test_what_was_published_in_a_transaction_that_was_open_is_given_by_a_replay_after_its_end(
    insights: Insights, assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(assembly.handlers["profiles"])
    with assembly.sessions() as session:
        publish(session, *(made := predictions_made()))
        pipeline.follow(assembly.handlers["usage"])  # migrated meanwhile
        insights("replay", "--handler", "usage", "--history", "--yes")
        session.commit()
    assert owed(assembly) == []

    insights("replay", "--handler", "usage", "--history", "--yes")

    assert [row.event_id for row in owed(assembly)] == [each.id for each in made]


def test_a_history_that_was_interrupted_is_repeated_without_harm(
    insights: Insights, assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "CHUNK", 2)
    made(assembly, 5)
    forget(assembly)
    with assembly.engine.begin() as connection:
        assert replay.owe_history(connection, Selection(handler="usage"), None).owed == 2

    output = json.loads(
        insights("replay", "--handler", "usage", "--history", "--yes", "--json").stdout
    )

    assert output == {
        "mode": "history", "dry_run": False, "handlers": {"usage": 3}, "replayed": 3,
    }  # fmt: skip
    assert len(owed(assembly)) == 5


def test_history_leaves_alone_what_is_owed_already(insights: Insights, assembly: Assembly) -> None:
    made(assembly)
    let_die(assembly, "usage")

    result = insights("replay", "--handler", "usage", "--history", "--yes")

    assert "nothing to replay" in flat(result.stdout)
    assert owed(assembly)[0].died_at is not None


REFUSED = {
    "nothing selected": ([], "Replay what?"),
    "nothing but yes": (["--yes"], "Replay what?"),
    "both kinds": (["--dead", "--history"], "exclude each other"),
    "history of whom": (["--history", "--yes"], "add --handler"),
    "since for whom": (["--since", "1h", "--yes"], "add --handler"),
    "until of what": (["--handler", "usage", "--until", "1h"], "say which: --dead or --history"),
    "no such handler": (["--handler", "usages", "--yes"], "No handler is called 'usages'."),
    "no such type": (["--dead", "--type", "user.flew", "--yes"], "No event is called 'user.flew'"),
    "no such time": (["--dead", "--since", "soon", "--yes"], "'soon' is no time."),
    "a question to a program": (["--dead", "--json"], "--json cannot ask."),
}


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_clear_is_refused(
    insights: Insights, assembly: Assembly, arguments: list[str], sentence: str
) -> None:
    made(assembly)
    let_die(assembly, "usage")

    result = insights("replay", *arguments)

    assert result.exit_code == 1
    assert sentence in flat(result.stderr)
    assert owed(assembly)[0].died_at is not None


def test_replaying_works_without_redis(
    insights: Insights, assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(assembly)
    let_die(assembly, "usage")
    monkeypatch.delenv("REDIS_URL")

    assert insights("replay", "--dead", "--yes").exit_code == 0
    assert owed(assembly)[0].died_at is None
