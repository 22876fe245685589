"""Whether the board, wiped and given its whole history again, shows what it must."""

from collections.abc import Mapping

from sqlalchemy import Engine

from benchmarks.chaos.settling import settle
from benchmarks.chaos.witness import Witness
from events.progress import News
from models.replay import Selection, owe_history


def rebuild(
    engine: Engine, witness: Witness, expected: Mapping[str, News]
) -> dict[str, News | None]:
    """Replay the history of all trainings; return what the board shows of those expected."""
    witness.wipe()
    selected, last = Selection(handler="progress"), None
    while True:
        with engine.begin() as connection:
            chunk = owe_history(connection, selected, last)
        if chunk.last is None:
            break
        last = chunk.last
    settle(engine)
    return {id_: witness.read(id_) for id_ in expected}
