"""Trains a model: `prepare` checks the data and the request, `run` fits and evaluates."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from learning.algorithms.algorithm import Algorithm
from learning.algorithms.hyperparameters import Hyperparameter, complete
from learning.algorithms.registry import algorithm_named, problem_type_for
from learning.dataset import read_dataset
from learning.evaluation import evaluate
from learning.features import Features, infer_features, preprocessor, select_features
from learning.progress import FINISHED, OnProgress, scaled
from learning.splitting import split
from learning.target import ProblemType, Target, read_target
from learning.trained_model import TrainedModel


@dataclass(frozen=True, slots=True)
class Training:
    """A checked request with its data; nothing is fitted yet."""

    frame: pd.DataFrame
    target: Target
    features: Features
    algorithm: Algorithm
    hyperparameters: Mapping[str, Hyperparameter]

    @property
    def problem_type(self) -> ProblemType:
        """The problem type asked for, or the one inferred from the data."""
        return self.target.problem_type

    @property
    def row_count(self) -> int:
        """How many rows the file has, without the line of column names."""
        return len(self.frame)

    def run(self, on_progress: OnProgress) -> TrainedModel:
        """Fit and evaluate a model on one core.

        Calls `on_progress` before every piece of work, often more than once a second (see
        `ThrottledProgress`), with 10 to 100 percent. What it raises is let through, which cancels.
        """
        on_progress(10.0, "Preparing the columns")
        pipeline = self._unfitted()
        # A worker runs beside others on its machine: more threads would take their cores.
        with threadpool_limits(1):
            metrics = self._fit(pipeline, on_progress)
        on_progress(FINISHED, "Finished")
        is_classifier = self.problem_type == "classification"
        return TrainedModel(
            model=pipeline,
            problem_type=self.problem_type,
            algorithm=self.algorithm.name,
            metrics=metrics,
            row_count=self.row_count,
            column_count=len(self.frame.columns),
            feature_names=self.features.numeric + self.features.categorical,
            classes=tuple(str(label) for label in pipeline.classes_) if is_classifier else None,
        )

    def _unfitted(self) -> Pipeline:
        estimator = self.algorithm.estimators[self.problem_type]
        return Pipeline(
            [
                ("features", preprocessor(self.features)),
                ("model", estimator(**self.algorithm.fixed, **self.hyperparameters)),
            ]
        )

    def _fit(self, pipeline: Pipeline, on_progress: OnProgress) -> dict[str, float]:
        selected = select_features(self.frame, self.features)
        train, test = split(self.target)
        # Only training rows are fitted on, medians and categories included: the metrics would
        # flatter a model that has seen the test set. Pipeline.fit could not report progress.
        matrix = pipeline["features"].fit_transform(selected.loc[train])
        report = scaled(on_progress, 15.0, 90.0)
        self.algorithm.fit(pipeline["model"], matrix, self.target.values[train], report)
        on_progress(90.0, "Evaluating")
        return evaluate(pipeline, selected.loc[test], self.target)


def prepare(
    source: BinaryIO | Path,
    *,
    target: str,
    algorithm: str,
    problem_type: str | None,
    hyperparameters: Mapping[str, object],
) -> Training:
    """Read a CSV file and check that a model can learn `target` from its other columns.

    `problem_type` is "classification", "regression" or None (inferred from the data). Every
    `LearningError` about the data or the request is raised here, none later.
    """
    chosen = algorithm_named(algorithm)
    requested = problem_type_for(chosen, problem_type)
    complete_hyperparameters = complete(chosen.hyperparameters, hyperparameters)
    frame = read_dataset(source).frame
    found = read_target(frame, target, requested)
    features = infer_features(frame, target)
    return Training(frame, found, features, chosen, complete_hyperparameters)
