"""One event for which a provider is always out of order, while it answers all others."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from errors import ProviderDown
from events import Event, PredictionMade, uuid7
from tests.conftest import publish_now
from tests.engine import Engine
from tests.workers.doing import Doing, calling
from workers.assembly import Assembly


def made(count: int) -> list[PredictionMade]:
    return [
        PredictionMade(user_id=uuid7(), model_id="m-1", prediction_count=1) for _ in range(count)
    ]


def breaking_at(*poison: UUID) -> Doing:
    def behave(batch: Sequence[Event]) -> None:
        if any(event.id in poison for event in batch):
            raise ProviderDown("It answers 500.")

    return Doing(behave)


def days_later(engine: Engine, days: int = 1) -> None:
    for _ in range(days * 20):
        engine.pass_time()
        with engine.assembly.engine.begin() as connection:
            connection.execute(text("UPDATE insights.handlers SET resume_at = now() "
                                    "WHERE resume_at IS NOT NULL"))  # fmt: skip
        engine.work()


def waits(engine: Engine) -> list[Any]:
    with engine.assembly.engine.connect() as connection:
        return list(
            connection.execute(
                text("SELECT event_id, setbacks, attempts, last_error, died_at, "
                     "extract(epoch FROM due_at - now()) AS seconds FROM insights.deliveries")
            )
        )  # fmt: skip


def test_its_neighbours_get_away_from_it(assembly: Assembly, engine: Engine) -> None:
    events = made(500)
    poison = events[250].id
    doing = breaking_at(poison)
    engine.follow(calling(doing, batch=500))
    publish_now(assembly, *events)

    for _ in range(4):
        engine.work()
        engine.pass_time()

    assert [row.event_id for row in waits(engine)] == [poison]
    assert len([call for call in doing.calls if poison in call]) == 4
    assert sum(len(call) for call in doing.calls) <= 500 + 500 + 62 + 7 + 1


def test_neighbours_get_away_from_several(assembly: Assembly, engine: Engine) -> None:
    events = made(300)
    poison = {event.id for event in events[::60]}
    engine.follow(calling(breaking_at(*poison), batch=100))
    publish_now(assembly, *events)

    days_later(engine)

    assert {row.event_id for row in waits(engine)} == poison


def test_it_is_tried_ever_less_and_never_dies(assembly: Assembly, engine: Engine) -> None:
    (poison,) = made(1)
    engine.follow(calling(breaking_at(poison.id), batch=1, max_attempts=2))
    publish_now(assembly, poison)

    pauses = []
    for _ in range(6):
        engine.pass_time()
        engine.work()
        (row,) = waits(engine)
        pauses.append(round(row.seconds))
        publish_now(assembly, *made(1))
        engine.work()

    assert pauses == [1, 8, 64, 512, 3600, 3600]
    assert (row.attempts, row.died_at, row.last_error) == (0, None, "It answers 500.")


def test_an_outage_for_all_is_nobodys_setback(assembly: Assembly, engine: Engine) -> None:
    events = made(40)
    doing = breaking_at(*(event.id for event in events))
    engine.follow(calling(doing, batch=10))
    publish_now(assembly, *events)

    days_later(engine)

    rows = waits(engine)
    assert len(rows) == 40
    assert {row.setbacks for row in rows} <= {0, 1, 2}
    assert max(row.seconds for row in rows) < 10


def test_it_is_reported_once_when_it_stands_alone(
    assembly: Assembly, engine: Engine, monkeypatch: Any
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(assembly.sentry, "failed", lambda work, *_, **_more: reported.append(work))
    events = made(100)
    poison = events[7].id
    engine.follow(calling(breaking_at(poison), batch=100))
    publish_now(assembly, *events)

    for _ in range(8):
        engine.work()
        engine.pass_time()
        publish_now(assembly, *made(1))

    assert [work.event_id for work in reported] == [str(poison)]
