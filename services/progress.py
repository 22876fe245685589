"""Live progress of trainings: a hash to read and a channel to follow, `training:{id}` both."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import cast

import redis

from services.redis import AWAY, down

KEPT = 7 * 24 * 3600


@dataclass(frozen=True)
class Progress:
    """How far a training is: `progress` in percent, `at` in microseconds since the epoch.

    `status` is one of queued, running, completed, failed, cancelled; the last three are final.
    """

    training_id: str
    progress: float
    message: str
    status: str
    at: int


class ProgressBoard:
    """Shows progress. Older news never overwrites newer, and what is finished stays finished."""

    def __init__(self, client: "redis.Redis") -> None:
        self.client = client
        self.script = files("services").joinpath("progress.lua").read_text()

    def show(self, news: Sequence[Progress]) -> None:
        """Write and announce each piece of news that is news: one round trip, one command each.

        Raises ProviderDown when Redis is away.
        """
        try:
            with self.client.pipeline(transaction=False) as line:
                for each in news:
                    line.eval(self.script, 1, f"training:{each.training_id}", *_arguments(each))
                line.execute()
        except AWAY as error:
            raise down(error) from error

    def read(self, training_id: str) -> Mapping[str, str]:
        """The hash as it stands; empty when nothing is known. Raises ProviderDown."""
        try:
            found = self.client.hgetall(f"training:{training_id}")
        except AWAY as error:
            raise down(error) from error
        pairs = cast("dict[bytes, bytes]", found).items()
        return {key.decode(): value.decode() for key, value in pairs}


def _arguments(news: Progress) -> tuple[str | int | float, ...]:
    shown = {
        "progress": news.progress,
        "message": news.message,
        "status": news.status,
        "updated_at": news.at // 1000,
        "version": news.at,
    }
    return (
        news.progress,
        news.message,
        news.status,
        news.at // 1000,
        news.at,
        KEPT,
        json.dumps(shown),
    )
