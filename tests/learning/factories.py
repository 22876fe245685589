"""What tests of learning make: CSV files, and models trained on them."""

from collections.abc import Sequence
from io import BytesIO
from typing import BinaryIO

import pandas as pd

from learning import OnProgress, TrainedModel, prepare


def csv(**columns: Sequence[object]) -> BinaryIO:
    return BytesIO(pd.DataFrame(columns).to_csv(index=False).encode())


def ignore_progress(_percent: float, _message: str) -> None:
    pass


def train(
    source: BinaryIO,
    target: str,
    algorithm: str = "random_forest",
    problem_type: str | None = None,
    on_progress: OnProgress = ignore_progress,
    **hyperparameters: object,
) -> TrainedModel:
    training = prepare(
        source,
        target=target,
        algorithm=algorithm,
        problem_type=problem_type,
        hyperparameters=hyperparameters,
    )
    return training.run(on_progress)
