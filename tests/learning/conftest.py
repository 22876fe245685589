from collections.abc import Callable, Sequence
from io import BytesIO
from typing import BinaryIO

import pandas as pd
import pytest

from learning import OnProgress, Trained, train


@pytest.fixture(scope="session")
def csv() -> Callable[..., BinaryIO]:
    def build(**columns: Sequence[object]) -> BinaryIO:
        return BytesIO(pd.DataFrame(columns).to_csv(index=False).encode())

    return build


@pytest.fixture(scope="session")
def learn() -> Callable[..., Trained]:
    def run(
        source: BinaryIO,
        target: str,
        algorithm: str = "random_forest",
        problem_type: str | None = None,
        on_progress: OnProgress = lambda _percent, _message: None,
        **hyperparameters: object,
    ) -> Trained:
        return train(
            source,
            target=target,
            algorithm=algorithm,
            problem_type=problem_type,
            hyperparameters=hyperparameters,
            on_progress=on_progress,
        )

    return run


@pytest.fixture
def flowers(csv: Callable[..., BinaryIO]) -> BinaryIO:
    sizes = [n % 20 for n in range(60)]
    return csv(
        size=sizes,
        colour=["red" if n < 10 else "blue" for n in sizes],
        kind=["rose" if n < 10 else "iris" for n in sizes],
    )


@pytest.fixture
def houses(csv: Callable[..., BinaryIO]) -> BinaryIO:
    areas = [50 + n * 1.5 for n in range(60)]
    return csv(area=areas, price=[area * 3000 + 500.5 for area in areas])
