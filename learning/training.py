"""From a file to a model."""

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from learning.progress import OnProgress
from learning.task import prepare
from learning.trained import Trained


def train(
    source: BinaryIO | Path,
    *,
    target: str,
    algorithm: str,
    problem_type: str | None,
    hyperparameters: Mapping[str, object],
    on_progress: OnProgress,
) -> Trained:
    """Learn to predict the column `target` of a CSV file from its other columns.

    `problem_type` is "classification", "regression" or None (the data decides). Uses one core.
    `on_progress` is called before every piece of work, often more than once a second (see
    `Throttle`), and what it raises is let through, which cancels. Raises a `LearningError` for
    anything wrong with the data or the wishes.
    """
    on_progress(0.0, "Reading the data")
    task = prepare(
        source,
        target=target,
        algorithm=algorithm,
        problem_type=problem_type,
        hyperparameters=hyperparameters,
    )
    return task.learn(on_progress)
